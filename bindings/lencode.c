/* lencode.c - encode, decode and names as Lua sees them */
#include "lencode.h"

#include "arg.h"

#include <string.h>

/* encode(...) */
static int l_encode(lua_State *L) {
  context *ctx = context_get(L);
  int count = lua_gettop(L);
  wire_message *message = context_message(L, ctx);
  wire_encode(L, ctx->wire, 1, count, WIRE_PORTABLE, "value", message);
  lua_pushlstring(L, (const char *)message->bytes, message->size);
  wire_message_clear(message);
  return 1;
}

/* Return the mode that the options in argument 2 ask for. */
static enum wire_mode check_options(lua_State *L) {
  enum wire_mode mode = WIRE_PORTABLE;
  if (lua_isnoneornil(L, 2))
    return mode;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (strcmp(key, "functions") != 0)
      luaL_argerror(L, 2,
                    lua_pushfstring(L, "unknown option '%s'",
                                    luaL_tolstring(L, -2, NULL)));
    if (!lua_isboolean(L, -1))
      luaL_argerror(
          L, 2,
          lua_pushfstring(L, "option 'functions': boolean expected, got %s",
                          luaL_typename(L, -1)));
    if (!lua_toboolean(L, -1))
      mode = WIRE_DATA;
    lua_pop(L, 1);
  }
  return mode;
}

/* decode(string, options) */
static int l_decode(lua_State *L) {
  context *ctx = context_get(L);
  size_t size;
  if (lua_type(L, 1) != LUA_TSTRING)
    arg_type_error(L, 1, "string");
  const char *bytes = lua_tolstring(L, 1, &size);
  enum wire_mode mode = check_options(L);
  return wire_decode(L, ctx->wire, mode, (const unsigned char *)bytes, size,
                     NULL, 0);
}

/* register(name, value) */
static int l_register(lua_State *L) {
  context *ctx = context_get(L);
  if (lua_type(L, 1) != LUA_TSTRING)
    arg_type_error(L, 1, "string");
  luaL_checkany(L, 2);
  luaL_argcheck(L, !lua_isnil(L, 2), 2, "value expected, got nil");
  lua_settop(L, 2);
  wire_state_register(L, ctx->wire, lua_tostring(L, 1));
  return 0;
}

/* set_source(function): see wire_state_set_source() */
static int l_set_source(lua_State *L) {
  context *ctx = context_get(L);
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  wire_state_set_source(L, ctx->wire);
  return 0;
}

static const luaL_Reg functions[] = {{"encode", l_encode},
                                     {"decode", l_decode},
                                     {"register", l_register},
                                     {"set_source", l_set_source},
                                     {NULL, NULL}};

void lencode_open(lua_State *L) {
  int upvalue = lua_gettop(L), module = upvalue - 1;
  lua_pushvalue(L, module);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, functions, 1);
  lua_pop(L, 1);
}
