/* encode_known.c - functions that need no encoder, as most tasks' do

   One table look-up finds the code, and its source if that is to be sent, and
   upvalues that are plain values are written at once. Nothing here runs the
   collector or user code. */
#include "encode.h"

/* Note the function at index; false if it came before. */
static bool is_first(lua_State *L, encode_known *known, int index) {
  const void *function = lua_topointer(L, index);
  for (unsigned i = 0; i < known->count; i++)
    if (known->functions[i] == function)
      known->again = true;
  if (known->count == sizeof known->functions / sizeof *known->functions)
    known->again = true;
  if (!known->again)
    known->functions[known->count++] = function;
  return !known->again;
}

/* Write all of a function but its upvalues; false if its source is not known.
   The tag is that of a code. */
static bool put_code(lua_State *L, const encode_known *known, wire_code *code) {
  wire_message *out = known->out;
  unsigned char *p;
  if (known->mode == WIRE_THREAD) {
    size_t index = code_cache_put(L, out, code);
    p = wire_reserve(L, out, 16);
    *p++ = WIRE_CODE;
    p = wire_put_varint(p, index);
  } else {
    if (!encode_known_source(L, out, code))
      return false;
    p = wire_put_varint(wire_reserve(L, out, 16), code->upvalues);
  }
  out->size = (size_t)(p - out->bytes);
  return true;
}

static void put_globals(lua_State *L, wire_message *out) {
  *wire_reserve(L, out, 1) = WIRE_GLOBALS;
  out->size++;
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

/* Write the function on top, an upvalue, if it has no more than the globals. */
static bool put_simple(lua_State *L, encode_known *known, const void *globals) {
  int index = lua_gettop(L);
  wire_code *code = code_cache_peek(L, &known->state->codes, index);
  if (code == NULL || !code_is_simple(code) || code->globals_size > 0)
    return false;
  if (code->upvalues > 0) {
    lua_getupvalue(L, index, 1);
    bool same = lua_topointer(L, -1) == globals;
    lua_pop(L, 1);
    if (!same)
      return false;
  }
  if (!is_first(L, known, index) || !put_code(L, known, code))
    return false;
  if (code->upvalues > 0 && known->mode != WIRE_THREAD)
    put_globals(L, known->out);
  return true;
}

/* Write the upvalue on top if that takes no encoder. */
static bool put_plain(lua_State *L, encode_known *known, const void *globals) {
  wire_message *out = known->out;
  int type = lua_type(L, -1);
  size_t length;
  const char *s;
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
    return put_simple(L, known, globals);
  case LUA_TTABLE:
    if (lua_topointer(L, -1) != globals)
      break;
    put_globals(L, out);
    return true;
  default:
    break;
  }
  return wire_names_put(L, &known->state->names, out, lua_gettop(L));
}

static bool put_plain_upvalues(lua_State *L, encode_known *known,
                               const wire_code *code, int index,
                               const void *globals) {
  for (unsigned n = 1; n <= code->upvalues; n++) {
    lua_getupvalue(L, index, (int)n);
    bool plain = put_plain(L, known, globals);
    if (plain && n == code->env && code->globals_size > 0)
      plain = lua_topointer(L, -1) == globals && !has_globals(L, code);
    lua_pop(L, 1);
    if (!plain)
      return false;
  }
  return true;
}

/* The function at index is written, its upvalues from the offset after. */
static void finish(const encode_known *known, const wire_code *code, size_t at,
                   size_t after, bool *whole) {
  wire_message *out = known->out;
  *whole = code->upvalues == 1 && code->env == 1;
  if (known->mode != WIRE_THREAD)
    return;
  if (code_is_simple(code) && out->bytes[after] == WIRE_GLOBALS)
    out->size = after; /* this goes without saying */
  else
    out->bytes[at] = WIRE_FUNCTION;
}

/* The code of the Lua function at index, noted now if it is a new closure;
   NULL if it may have a name, or that takes an encoder. */
static wire_code *find_code(lua_State *L, wire_state *state, int index) {
  wire_code *code = code_cache_peek(L, &state->codes, index);
  if (code != NULL || lua_iscfunction(L, index) ||
      wire_names_outdated(&state->names) ||
      wire_names_find(&state->names, lua_topointer(L, index), LUA_TFUNCTION))
    return code;
  return code_cache_add(L, &state->codes, index);
}

bool encode_known_function(lua_State *L, encode_known *known, int index,
                           bool *whole) {
  wire_message *out = known->out;
  wire_code *code = find_code(L, known->state, index);
  size_t at = out->size, object_count = out->object_count;
  if (code == NULL || !is_first(L, known, index) || !put_code(L, known, code))
    return false;
  if (code->upvalues == 0)
    return true;
  size_t after = out->size;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  const void *globals = lua_topointer(L, -1);
  lua_pop(L, 1);
  if (put_plain_upvalues(L, known, code, index, globals)) {
    finish(known, code, at, after, whole);
    return true;
  }
  out->size = at;
  while (out->object_count > object_count)
    fut_object_release(out->objects[--out->object_count]);
  return false;
}
