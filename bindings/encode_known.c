/* encode_known.c - functions that need no encoder, as most tasks' do

   One table look-up finds the code, and upvalues that are plain values are
   written at once. Nothing here runs the collector or user code. */
#include "encode.h"

static void put_code(lua_State *L, wire_message *out, wire_code *code,
                     enum wire_tag tag) {
  size_t index = wire_message_add(L, out, &code->object);
  unsigned char *p = wire_reserve(L, out, 16);
  *p++ = (unsigned char)tag;
  p = wire_put_varint(p, index);
  out->size = (size_t)(p - out->bytes);
}

/* Whether this state has a global that code names; env is on top. */
static bool has_globals(lua_State *L, const wire_code *code) {
  size_t at = 0, length;
  const char *name;
  while ((name = code_next_global(code, &at, &length)) != NULL) {
    lua_pushlstring(L, name, length);
    int type = lua_rawget(L, -2);
    lua_pop(L, 1);
    if (type != LUA_TNIL)
      return true;
  }
  return false;
}

/* Write the upvalue on top if that takes no encoder. */
static bool put_plain(lua_State *L, wire_state *state, wire_message *out,
                      const void *globals) {
  int type = lua_type(L, -1);
  size_t length;
  const char *s;
  wire_code *code;
  if (wire_put_simple(L, out, -1, type))
    return true;
  switch (type) {
  case LUA_TSTRING:
    s = lua_tolstring(L, -1, &length);
    wire_put_string(L, out, s, length);
    return true;
  case LUA_TFUNCTION:
    if (lua_iscfunction(L, -1))
      break;
    code = code_cache_peek(L, &state->codes, lua_gettop(L));
    if (code == NULL || !code_is_simple(code) || code->globals_size > 0)
      return false;
    if (code->upvalues > 0) {
      lua_getupvalue(L, -1, 1);
      bool same = lua_topointer(L, -1) == globals;
      lua_pop(L, 1);
      if (!same)
        return false;
    }
    put_code(L, out, code, WIRE_CODE);
    return true;
  case LUA_TTABLE:
    if (lua_topointer(L, -1) != globals)
      break;
    *wire_reserve(L, out, 1) = WIRE_GLOBALS;
    out->size++;
    return true;
  default:
    break;
  }
  return wire_names_put(L, &state->names, out, lua_gettop(L));
}

static bool put_plain_upvalues(lua_State *L, wire_state *state,
                               wire_message *out, const wire_code *code,
                               int index, const void *globals) {
  for (unsigned n = 1; n <= code->upvalues; n++) {
    lua_getupvalue(L, index, (int)n);
    bool plain = put_plain(L, state, out, globals);
    if (plain && n == code->env && code->globals_size > 0)
      plain = lua_topointer(L, -1) == globals && !has_globals(L, code);
    lua_pop(L, 1);
    if (!plain)
      return false;
  }
  return true;
}

bool encode_known_function(lua_State *L, wire_state *state, wire_message *out,
                           int index, bool *whole) {
  wire_code *code = code_cache_peek(L, &state->codes, index);
  size_t size = out->size, object_count = out->object_count;
  if (code == NULL)
    return false;
  put_code(L, out, code, WIRE_CODE);
  if (code->upvalues == 0)
    return true;
  size_t after = out->size;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  const void *globals = lua_topointer(L, -1);
  lua_pop(L, 1);
  if (put_plain_upvalues(L, state, out, code, index, globals)) {
    if (code_is_simple(code) && out->bytes[after] == WIRE_GLOBALS)
      out->size = after;
    else {
      out->bytes[size] = WIRE_FUNCTION;
      *whole = code->upvalues == 1 && code->env == 1;
    }
    return true;
  }
  out->size = size;
  while (out->object_count > object_count)
    fut_object_release(out->objects[--out->object_count]);
  return false;
}
