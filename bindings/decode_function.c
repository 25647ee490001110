/* decode_function.c - bytes into functions: closures and their upvalues */
#include "decode.h"

#include <lauxlib.h>

/* The code that comes next. */
static const wire_code *read_code(decoder *d) {
  uint64_t index = decoder_varint(d);
  if (index >= d->object_count || d->objects[index]->kind != &wire_code_kind)
    decoder_fail(d, "no such function");
  return (const wire_code *)d->objects[index];
}

void decoder_push_code(decoder *d) {
  const wire_code *code = read_code(d);
  if (!code_is_simple(code) ||
      !load_cache_push_shared(d->L, &d->state->loaded, code))
    decoder_fail(d, "function cannot be loaded");
}

void decoder_begin_function(decoder *d, size_t at) {
  const wire_code *code = read_code(d);
  decode_frame *f = decoder_push_frame(d, IN_UPVALUES, at);
  f->length = code->upvalues;
  if (!code_load(d->L, code))
    decoder_fail(d, "function cannot be loaded");
}

static unsigned count_upvalues(lua_State *L) {
  lua_Debug info;
  lua_pushvalue(L, -1);
  lua_getinfo(L, ">u", &info);
  return info.nups;
}

/* Push the chunk whose name and text come next. */
static void load_text(decoder *d) {
  lua_State *L = d->L;
  const char *name = NULL, *text = NULL;
  size_t name_length = 0, length = 0;
  const unsigned char *p = wire_get_string(d->p, d->end, &name, &name_length);
  if (p != NULL)
    p = wire_get_string(p, d->end, &text, &length);
  if (p == NULL)
    decoder_fail(d, "truncated");
  d->p = p;
  lua_pushlstring(L, name, name_length);
  int status = luaL_loadbufferx(L, text, length, lua_tostring(L, -1), "t");
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK)
    decoder_fail(d, "source does not compile");
  lua_remove(L, -2);
}

/* Give upvalue n of the function on top a variable of its own: it is that of
   the chunk that made the function. */
static void detach_upvalue(decoder *d, int n) {
  lua_State *L = d->L;
  static const char text[] = "local v return function() return v end";
  if (luaL_loadbufferx(L, text, sizeof text - 1, "=detach", "t") != LUA_OK)
    lua_error(L);
  lua_call(L, 0, 1);
  lua_upvaluejoin(L, -2, n, -1, 1);
  lua_pop(L, 1);
}

/* Replace the chunk on top by the function that it returns. The text is not
   trusted, so it sees no globals; nothing that source.lua writes needs any. */
static void run_maker(decoder *d) {
  lua_State *L = d->L;
  void *env = lua_upvalueid(L, -1, 1);
  lua_newtable(L);
  lua_setupvalue(L, -2, 1);
  int status = lua_pcall(L, 0, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK || !lua_isfunction(L, -1) || lua_iscfunction(L, -1))
    decoder_fail(d, "source makes no function");
  int count = (int)count_upvalues(L);
  for (int n = 1; n <= count; n++)
    if (lua_upvalueid(L, -1, n) == env)
      detach_upvalue(d, n);
}

/* Push the chunk that makes a function again. */
static void push_earlier(decoder *d) {
  uint64_t at = decoder_varint(d);
  if (lua_isnil(d->L, AT_MAKERS) ||
      lua_rawgeti(d->L, AT_MAKERS, (lua_Integer)at) != LUA_TFUNCTION)
    decoder_fail(d, "no such source");
}

static void keep_maker(decoder *d, size_t at) {
  lua_State *L = d->L;
  if (lua_isnil(L, AT_MAKERS)) {
    lua_newtable(L);
    lua_replace(L, AT_MAKERS);
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, AT_MAKERS, (lua_Integer)at);
}

void decoder_begin_source(decoder *d, size_t at) {
  decode_frame *f = decoder_push_frame(d, IN_UPVALUES, at);
  if (d->mode == WIRE_DATA)
    decoder_fail(d, "a function is not allowed");
  switch (decoder_byte(d)) {
  case WIRE_SOURCE_MAIN:
    load_text(d);
    break;
  case WIRE_SOURCE_MAKER:
    load_text(d);
    keep_maker(d, at);
    run_maker(d);
    break;
  case WIRE_SOURCE_EARLIER:
    push_earlier(d);
    run_maker(d);
    break;
  default:
    decoder_fail(d, "unknown source");
  }
  f->length = decoder_varint(d);
  if (f->length != count_upvalues(d->L))
    decoder_fail(d, "another number of upvalues");
}

/* Let the function on top have the upvalue of another as its own. */
static void join_upvalue(decoder *d, int n) {
  lua_State *L = d->L;
  d->p++;
  decoder_push_shared(d);
  int other = (int)decoder_byte(d);
  if (!lua_isfunction(L, -1) || lua_iscfunction(L, -1) || other == 0 ||
      lua_getupvalue(L, -1, other) == NULL)
    decoder_fail(d, "no such upvalue");
  lua_pop(L, 1);
  lua_upvaluejoin(L, -2, n, -1, other);
  lua_pop(L, 1);
}

bool decoder_step_function(decoder *d, decode_frame *f) {
  while (f->done < f->length) {
    int n = (int)++f->done;
    if (d->p < d->end && *d->p == WIRE_UPVALUE)
      join_upvalue(d, n);
    else if (!decoder_begin(d))
      return false;
    else
      lua_setupvalue(d->L, -2, n);
  }
  return true;
}

/* The code whose tag and index lie at p, and the byte after; or NULL. */
static const unsigned char *peek_code(const unsigned char *p,
                                      const unsigned char *end, unsigned tag,
                                      fut_object *const *objects,
                                      size_t object_count,
                                      const wire_code **code) {
  if (end - p < 2 || *p != tag || p[1] >= 0x80 || p[1] >= object_count ||
      objects[p[1]]->kind != &wire_code_kind)
    return NULL;
  *code = (const wire_code *)objects[p[1]];
  return p + 2;
}

const unsigned char *decode_known_code(lua_State *L, wire_state *state,
                                       const unsigned char *p,
                                       const unsigned char *end,
                                       fut_object *const *objects,
                                       size_t object_count) {
  const wire_code *code;
  p = peek_code(p, end, WIRE_CODE, objects, object_count, &code);
  if (p == NULL || !code_is_simple(code))
    return NULL;
  if (load_cache_push_shared(L, &state->loaded, code))
    return p;
  lua_pop(L, 1);
  return NULL;
}

/* Push an upvalue that needs no decoder; returns as decode_known_code(). */
static const unsigned char *push_plain(lua_State *L, wire_state *state,
                                       const unsigned char *p,
                                       const unsigned char *end,
                                       fut_object *const *objects,
                                       size_t object_count) {
  const unsigned char *next = wire_push_scalar(L, p, end);
  wire_name name;
  const char *s;
  size_t length;
  if (next == NULL)
    next = decode_known_code(L, state, p, end, objects, object_count);
  if (next != NULL || p == end)
    return next;
  if (*p == WIRE_GLOBALS) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return p + 1;
  }
  if (*p == WIRE_LONG) {
    next = wire_get_string(p + 1, end, &s, &length);
    if (next != NULL)
      lua_pushlstring(L, s, length);
    return next;
  }
  next = wire_name_read(p, end, &name);
  if (next == NULL || *p & WIRE_SHARED)
    return NULL;
  if (wire_names_push(L, &state->names, &name, true))
    return next;
  lua_pop(L, 1); /* the decoder will say it again */
  return NULL;
}

/* A nested function may have captured an upvalue and outlive the task, so
   that what is set later would reach it; the globals are always the same. */
const unsigned char *decode_leased(lua_State *L, wire_state *state,
                                   const unsigned char *p,
                                   const unsigned char *end,
                                   fut_object *const *objects,
                                   size_t object_count, wire_lease *lease) {
  const wire_code *code;
  p = peek_code(p, end, WIRE_FUNCTION, objects, object_count, &code);
  if (p == NULL || !code->known)
    return NULL;
  loaded_code *place = load_cache_lease(L, &state->loaded, code);
  if (place == NULL)
    return NULL;
  lease->place = place;
  for (unsigned n = 0; n < code->upvalues && p != NULL; n++) {
    if (bytecode_has(code->facts.captured, n) &&
        (p == end || *p != WIRE_GLOBALS))
      p = NULL;
    else
      p = push_plain(L, state, p, end, objects, object_count);
    if (p != NULL)
      lua_setupvalue(L, -2, (int)n + 1);
  }
  if (p == NULL) {
    wire_lease_end(lease);
    lua_pop(L, 1);
  }
  return p;
}
