/* arg.c - checked arguments */
#include "arg.h"

fut_deadline arg_deadline(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg))
    return FUT_NEVER;
  if (lua_type(L, arg) != LUA_TNUMBER)
    arg_type_error(L, arg, "number of seconds");
  lua_Number seconds = lua_tonumber(L, arg);
  luaL_argcheck(L, seconds == seconds, arg, "timeout is not a number (NaN)");
  return fut_deadline_after((double)seconds);
}

fut_deadline arg_deadline_option(lua_State *L, int arg, const char *option) {
  fut_deadline deadline = FUT_NEVER;
  if (!lua_isnil(L, -1)) {
    const char *message = NULL;
    lua_Number seconds = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER)
      message =
          lua_pushfstring(L, "option '%s': number of seconds expected, got %s",
                          option, luaL_typename(L, -1));
    else if (seconds != seconds)
      message = lua_pushfstring(L, "option '%s' is not a number (NaN)", option);
    if (message)
      luaL_argerror(L, arg, message);
    deadline = fut_deadline_after((double)seconds);
  }
  lua_pop(L, 1);
  return deadline;
}

int arg_type_error(lua_State *L, int arg, const char *expected) {
  const char *got = luaL_getmetafield(L, arg, "__name") == LUA_TSTRING
                        ? lua_tostring(L, -1)
                        : luaL_typename(L, arg);
  if (lua_type(L, arg) == LUA_TNONE)
    got = "no value";
  return luaL_argerror(
      L, arg, lua_pushfstring(L, "%s expected, got %s", expected, got));
}

void arg_callable(lua_State *L, int arg) {
  if (lua_isfunction(L, arg))
    return;
  if (luaL_getmetafield(L, arg, "__call") == LUA_TNIL)
    arg_type_error(L, arg, "function");
  lua_pop(L, 1);
}
