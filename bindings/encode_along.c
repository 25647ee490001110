/* encode_along.c - the globals that functions name come along

   Those that a function names and this state has, but a new one lacks, are
   noted when the function is written, and follow after all values. What they
   hold may be functions that name more. */
#include "encode.h"
#include "environment.h"

#include <lauxlib.h>

/* Push the value of the global whose name is on top, as the environment below
   sees it. */
static int push_global(lua_State *L) {
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) != LUA_TNIL)
    return lua_type(L, -1);
  lua_pop(L, 1);
  if (environment_wraps(L, -2)) {
    lua_pushvalue(L, -1);
    return lua_gettable(L, -3);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushvalue(L, -2);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  return lua_type(L, -1);
}

/* Whether the table at an index has something under the name below the top. */
static bool contains(lua_State *L, int table) {
  lua_pushvalue(L, -2);
  int type = lua_rawget(L, table);
  lua_pop(L, 1);
  return type != LUA_TNIL;
}

bool encoder_note_globals(encoder *e, const wire_code *code) {
  lua_State *L = e->L;
  size_t at = 0, length;
  const char *name;
  bool any = false;
  if (code->env == 0 || code->globals_size == 0)
    return false;
  luaL_checkstack(L, 16, NULL);
  lua_getupvalue(L, -1, (int)code->env);
  if (!encoder_is_globals(e, true)) {
    lua_pop(L, 1);
    return false;
  }
  while ((name = code_next_global(code, &at, &length)) != NULL) {
    lua_pushlstring(L, name, length);
    if (push_global(L) != LUA_TNIL &&
        (lua_isnil(L, AT_EXCLUDED) || !contains(L, AT_EXCLUDED))) {
      any = true;
      if (lua_isnil(L, AT_GLOBALS)) {
        lua_newtable(L);
        lua_replace(L, AT_GLOBALS);
      }
      if (!contains(L, AT_GLOBALS)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, AT_GLOBALS);
        lua_pushvalue(L, -2);
        lua_rawseti(L, AT_GLOBALS, (lua_Integer)lua_rawlen(L, AT_GLOBALS) + 1);
      }
    }
    lua_pop(L, 2); /* name, value */
  }
  lua_pop(L, 1); /* environment */
  return any;
}

bool encoder_put_globals(encoder *e) {
  lua_State *L = e->L;
  size_t length;
  if (lua_isnil(L, AT_GLOBALS))
    return false;
  e->in_globals = true;
  for (lua_Integer i = 1; lua_rawgeti(L, AT_GLOBALS, i) != LUA_TNIL; i++) {
    const char *name = lua_tolstring(L, -1, &length);
    unsigned char *p = wire_reserve(L, e->out, length + 16);
    *p = 1;
    p = wire_put_varint(p + 1, length);
    memcpy(p, name, length);
    e->out->size = (size_t)(p - e->out->bytes) + length;
    lua_pushvalue(L, -1);
    lua_rawget(L, AT_GLOBALS);
    e->global = lua_gettop(L) - 1;
    encoder_put_value(e);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  encoder_put_tag(e, 0);
  return true;
}

void encoder_exclude_global(encoder *e) {
  lua_State *L = e->L;
  luaL_checkstack(L, 8, NULL);
  if (lua_isnil(L, AT_EXCLUDED)) {
    lua_newtable(L);
    lua_replace(L, AT_EXCLUDED);
  }
  lua_pushvalue(L, e->global);
  lua_pushboolean(L, 1);
  lua_rawset(L, AT_EXCLUDED);
  lua_pushvalue(L, AT_EXCLUDED);
  encoder_leave(e, END_EXCLUDE);
}
