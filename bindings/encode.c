/* encode.c - Lua values into bytes, in one pass and without recursion

   Scalars and functions that were sent before are written at once. Anything
   that may hold other values is encoded by an encoder: a stack of frames, so
   that depth costs no C stack, inside a protected call, so that whatever
   raises, the encoder is free again afterwards. A value that was met before
   becomes a reference; only then is the tag of its first occurrence turned
   into the one that tells the decoder to keep it.

   Some things are found out too late: a module that the index of names does
   not know yet, a global that cannot travel. Then all begins anew. */
#include "encode.h"

#include <lauxlib.h>

/* The protected part: encode all values that are left. */
static int run(lua_State *L) {
  encoder *e = lua_touserdata(L, AT_ENCODER);
  int last = lua_gettop(L);
  e->L = L;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  e->globals = lua_topointer(L, -1);
  lua_pop(L, 1);
  for (int i = AT_VALUES; i <= last; i++, e->root++) {
    lua_pushvalue(L, i);
    encoder_put_value(e);
  }
  lua_pushboolean(L, encoder_put_globals(e));
  return 1;
}

/* Encode the values after the first done ones, which need an encoder. Returns
   whether globals come along. */
static bool encode_rest(lua_State *L, wire_state *state, int first, int count,
                        int done, enum wire_mode mode, const char *what,
                        wire_message *out) {
  out->busy = true; /* finalizers may run from here on */
  luaL_checkstack(L, count - done + 16, "too many values to send");
  size_t size = out->size, object_count = out->object_count;
  if (wire_names_outdated(&state->names))
    wire_names_rebuild(L, &state->names);
  int excluded = lua_gettop(L) + 1, status;
  lua_pushnil(L);
  encoder *e = encoder_take(L, state);
  e->mode = mode;
  e->out = out;
  e->what = what;
  e->count = count;
  e->names_fresh = e->names_rebuilt = false;
  do {
    out->size = size;
    while (out->object_count > object_count)
      fut_object_release(out->objects[--out->object_count]);
    e->end = END_ERROR;
    e->root = done + 1;
    e->in_globals = false;
    e->plain_meta = NULL;
    e->depth = e->upvalue_count = e->key_count = 0;
    e->last_key = 0;
    e->reserved = 0;
    pointer_map_clear(&e->met);
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, e);
    lua_pushvalue(L, excluded);
    for (int i = AT_GLOBALS; i < AT_VALUES; i++)
      lua_pushnil(L);
    for (int i = done; i < count; i++)
      lua_pushvalue(L, first + i);
    status = lua_pcall(L, count - done + AT_VALUES - 1, 1, 0);
    if (status != LUA_OK && e->end == END_EXCLUDE)
      lua_replace(L, excluded); /* the table with one name more */
    else if (status != LUA_OK && e->end == END_AGAIN)
      lua_pop(L, 1);
    else
      break;
  } while (true);
  encoder_give(e);
  out->busy = false;
  if (status != LUA_OK) {
    if (e->end == END_REFUSED)
      wire_refuse(L, state);
    lua_error(L);
  }
  bool globals = lua_toboolean(L, -1);
  lua_settop(L, excluded - 1);
  return globals;
}

void wire_encode(lua_State *L, wire_state *state, int first, int count,
                 enum wire_mode mode, const char *what, wire_message *out) {
  first = lua_absindex(L, first);
  luaL_checkstack(L, 16, "too many values to send");
  wire_message_clear(out);
  unsigned char flags = WIRE_FLAG_PLAIN;
  unsigned char *p = wire_reserve(L, out, 64);
  p[0] = WIRE_VERSION;
  p = wire_put_varint(p + 2, (uint64_t)count);
  out->size = (size_t)(p - out->bytes);
  encode_known known = {.state = state, .out = out, .mode = mode};
  /* where the first function lies, and whether an encoder must go back there,
     as another might share an upvalue with it */
  int back = -1;
  bool shares = false;
  size_t back_size = 0, back_objects = 0;
  for (int i = 0; i < count; i++) {
    int index = first + i, type = lua_type(L, index);
    if (wire_put_simple(L, out, index, type))
      continue;
    if (type == LUA_TSTRING) {
      size_t length;
      const char *s = lua_tolstring(L, index, &length);
      wire_put_string(L, out, s, length);
      continue;
    }
    flags = 0;
    bool whole = true;
    size_t size = out->size, objects = out->object_count;
    if (type == LUA_TFUNCTION &&
        encode_known_function(L, &known, index, &whole) && (whole || !shares)) {
      if (back < 0) {
        back = i;
        back_size = size;
        back_objects = objects;
      }
      shares = shares || !whole;
      continue;
    }
    if (back >= 0 && (shares || known.again)) {
      i = back;
      out->size = back_size;
      while (out->object_count > back_objects)
        fut_object_release(out->objects[--out->object_count]);
    }
    if (encode_rest(L, state, first, count, i, mode, what, out))
      flags = WIRE_FLAG_GLOBALS;
    break;
  }
  *wire_reserve(L, out, 1) = WIRE_FINISH;
  out->size++;
  out->bytes[1] = flags;
}
