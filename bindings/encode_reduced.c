/* encode_reduced.c - objects that say themselves how to rebuild them

   __reduce is user code in the middle of an encoding. It may encode other
   messages; what it must not do is to take tables or strings away from values
   that are being sent, as what was met is known by its address. */
#include "encode.h"

#include <lauxlib.h>

enum { PART_LIMIT = 250 };

/* Whether the value on top can be called. */
static bool is_callable(lua_State *L) {
  if (lua_isfunction(L, -1))
    return true;
  bool callable = luaL_getmetafield(L, -1, "__call") != LUA_TNIL;
  if (callable)
    lua_pop(L, 1);
  return callable;
}

bool encoder_begin_reduced(encoder *e) {
  lua_State *L = e->L;
  int object = lua_gettop(L);
  if (!lua_getmetatable(L, object))
    return false;
  const void *metatable = lua_topointer(L, -1);
  if (metatable == e->plain_meta) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushliteral(L, "__reduce");
  if (lua_rawget(L, -2) == LUA_TNIL) {
    e->plain_meta = metatable;
    lua_pop(L, 2);
    return false;
  }
  size_t at = e->out->size;
  lua_remove(L, -2);
  luaL_checkstack(L, 32, NULL);
  if (!is_callable(L)) {
    lua_pop(L, 1);
    encoder_refuse(e, "its __reduce is no function");
  }
  lua_pushvalue(L, object);
  lua_call(L, 1, LUA_MULTRET);
  int count = lua_gettop(L) - object;
  if (count < 1 || count > PART_LIMIT || !lua_isfunction(L, object + 1)) {
    lua_settop(L, object);
    encoder_refuse(e, "its __reduce returns no function and arguments");
  }
  /* what was made for us must not give its address to another value */
  luaL_checkstack(L, 32, NULL);
  if (lua_isnil(L, AT_ANCHORS)) {
    lua_newtable(L);
    lua_replace(L, AT_ANCHORS);
  }
  lua_Integer n = (lua_Integer)lua_rawlen(L, AT_ANCHORS);
  for (int i = 1; i <= count; i++) {
    lua_pushvalue(L, object + i);
    if (lua_isnil(L, -1)) /* would end the array */
      lua_pop(L, 1);
    else
      lua_rawseti(L, AT_ANCHORS, ++n);
  }
  unsigned char *p = wire_reserve(L, e->out, 16);
  p[0] = WIRE_REDUCED;
  p[1] = (unsigned char)lua_type(L, object);
  p = wire_put_varint(p + 2, (uint64_t)count);
  e->out->size = (size_t)(p - e->out->bytes);
  encode_frame *f = encoder_push_frame(e, FRAME_REDUCED, at);
  f->index = object;
  f->length = count;
  return true;
}

void encoder_step_reduced(encoder *e, encode_frame *f) {
  while (f->done < f->length) {
    lua_pushvalue(e->L, f->index + (int)++f->done);
    if (!encoder_begin(e))
      return;
  }
  lua_settop(e->L, f->index - 1);
  e->depth--;
}
