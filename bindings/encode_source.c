/* encode_source.c - the source of functions into bytes

   A function of Lua finds the text, once for each code: what it gave is kept,
   ready to be copied. Line breaks at its beginning, which only put the
   function on its line, are counted and not written. */
#include "encode.h"

#include <lauxlib.h>

#define UNSHELVED 8             /* bytes of source that are as well sent */
#define SHELF_LIMIT (64u << 10) /* and that take too much of the shelf */

static unsigned char *put_text(unsigned char *p, const char *s, size_t length) {
  p = wire_put_varint(p, length);
  memcpy(p, s, length);
  return p + length;
}

/* Push what the source function returns for the function on top: text, chunk
   name, names of the upvalues, whether the text is itself the function. */
static void push_source(encoder *e) {
  lua_State *L = e->L;
  int function = lua_gettop(L);
  if (e->state->source == LUA_NOREF)
    encoder_refuse(e, "function without source");
  lua_rawgeti(L, LUA_REGISTRYINDEX, e->state->source);
  lua_pushvalue(L, function);
  int status = lua_pcall(L, 1, 4, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status == LUA_OK && lua_type(L, function + 1) == LUA_TSTRING &&
      lua_type(L, function + 2) == LUA_TSTRING)
    return;
  if (lua_type(L, function + 1) != LUA_TSTRING)
    encoder_refuse(e, "function without source");
  const char *reason = lua_tostring(L, function + 1);
  lua_pushvalue(L, function);
  encoder_refuse(e, reason);
}

/* Write the source of the function on top as the finder gives it. */
static void put_found(encoder *e) {
  lua_State *L = e->L;
  size_t length, name_length, lines = 0;
  int function = lua_gettop(L);
  push_source(e);
  const char *text = lua_tolstring(L, function + 1, &length);
  const char *name = lua_tolstring(L, function + 2, &name_length);
  while (lines < length && lines < WIRE_LINES_LIMIT && text[lines] == '\n')
    lines++;
  unsigned char *p = wire_reserve(L, e->out, length + name_length + 40);
  *p++ = WIRE_SOURCE;
  *p++ = lua_toboolean(L, function + 4) ? WIRE_SOURCE_MAIN : WIRE_SOURCE_MAKER;
  p = put_text(p, name, name_length);
  p = wire_put_varint(p, lines);
  p = put_text(p, text + lines, length - lines);
  e->out->size = (size_t)(p - e->out->bytes);
  lua_settop(L, function);
}

/* If a function of the code was written before, write a reference to that;
   else note that the next one lies here. */
static bool put_earlier(encoder *e, const wire_code *code) {
  /* ids are not used again, as addresses are; odd, they are no address */
  const void *key = (const void *)(uintptr_t)(code->id << 4 | 1);
  bool found;
  pointer_entry *entry = pointer_map_enter(e->L, &e->met, key, &found);
  if (!found) {
    entry->value = e->out->size & ((UINT64_C(1) << 40) - 1);
    return false;
  }
  encoder_put_tag(e, WIRE_SOURCE);
  encoder_put_number(e, (enum wire_tag)WIRE_SOURCE_EARLIER, entry->value);
  return true;
}

/* Return the place of the source of code, without its tag, on the shelf of the
   executor; 0: none. */
static uint64_t shelve(fut_executor *executor, wire_code *code) {
  for (int i = 0; i < CODE_SHELVES; i++)
    if (code->shelved[i].executor == executor->number)
      return code->shelved[i].place;
  uint64_t place = 0;
  if (code->source_size > UNSHELVED && code->source_size < SHELF_LIMIT)
    place =
        fut_executor_shelve(executor, code->source + 1, code->source_size - 1);
  unsigned at = code->next_shelf++ % CODE_SHELVES;
  code->shelved[at].executor = executor->number;
  code->shelved[at].place = place;
  return place;
}

bool encode_known_source(lua_State *L, wire_message *out, wire_code *code) {
  if (code->source == NULL)
    return false;
  uint64_t place = out->shelf ? shelve(out->shelf, code) : 0;
  if (place > 0) {
    unsigned char *p = wire_reserve(L, out, 16);
    *p++ = WIRE_SOURCE;
    *p++ = WIRE_SOURCE_SHELVED;
    out->size = (size_t)(wire_put_varint(p, place) - out->bytes);
    return true;
  }
  memcpy(wire_reserve(L, out, code->source_size), code->source,
         code->source_size);
  out->size += code->source_size;
  return true;
}

void encoder_put_source(encoder *e) {
  lua_State *L = e->L;
  code_cache *codes = &e->state->codes;
  luaL_checkstack(L, 16, NULL);
  wire_code *code = code_cache_find(L, codes, -1);
  size_t at = e->out->size;
  if (put_earlier(e, code) || encode_known_source(L, e->out, code))
    return;
  put_found(e); /* runs Lua, which may have emptied the cache */
  code = code_cache_peek(L, codes, lua_gettop(L));
  if (code != NULL)
    code_cache_keep_source(L, codes, code, e->out->bytes + at,
                           e->out->size - at);
}
