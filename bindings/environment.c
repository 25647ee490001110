/* environment.c - the globals that came along with one task, over the others

   Functions see the globals that came along with them through their upvalue
   _ENV, so nobody else sees them, nothing has to be put back after the task,
   and tasks run inside of others have their own. */
#include "environment.h"

/* Its address is the key, in the metatable, of the table of names; these stay
   variables of the environment when they are set to nil. */
static char names_key;

static int l_newindex(lua_State *L) {
  lua_settop(L, 3);
  lua_getmetatable(L, 1);
  lua_rawgetp(L, -1, &names_key);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL) {
    lua_settop(L, 3);
    lua_rawset(L, 1);
  } else {
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_replace(L, 1);
    lua_settop(L, 3);
    lua_settable(L, 1);
  }
  return 0;
}

void environment_push(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 3);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_newtable(L);
  lua_rawsetp(L, -2, &names_key);
  lua_setmetatable(L, -2);
}

void environment_add(lua_State *L, int index) {
  lua_getmetatable(L, index);
  lua_rawgetp(L, -1, &names_key);
  lua_pushvalue(L, -4);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 2);
  lua_rawset(L, index);
}

bool environment_is(lua_State *L, int index) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index))
    return false;
  bool is = lua_rawgetp(L, -1, &names_key) == LUA_TTABLE;
  lua_pop(L, 2);
  return is;
}

bool environment_wraps(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (!lua_istable(L, index) || !lua_getmetatable(L, index))
    return false;
  lua_pushliteral(L, "__index");
  bool wraps = lua_rawget(L, -2) == LUA_TFUNCTION;
  lua_pop(L, 2);
  if (!wraps)
    return false;
  lua_pushnil(L);
  if (lua_next(L, index)) {
    lua_pop(L, 2);
    return false;
  }
  lua_getfield(L, index, "_G");
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  wraps = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return wraps;
}
