/* on_state.c - libraries of the host in worker states, in the order given */
#include <futures_lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int states;

static int l_name(lua_State *L) {
  lua_pushliteral(L, "game");
  return 1;
}

static int open_game(lua_State *L) {
  luaL_newlib(L, ((luaL_Reg[]){{"name", l_name}, {NULL, NULL}}));
  return 1;
}

static int first(lua_State *L) {
  atomic_fetch_add(&states, 1);
  luaL_requiref(L, "game", open_game, 1);
  lua_pushliteral(L, "first");
  lua_setglobal(L, "order");
  return 1; /* what is left is of no account */
}

static int second(lua_State *L) {
  lua_getglobal(L, "order");
  lua_pushliteral(L, " second");
  lua_concat(L, 2);
  lua_setglobal(L, "order");
  return 0;
}

static const char script[] =
    "local futures = require 'futures'\n"
    "local pool <close> = futures.ThreadPoolExecutor(1)\n"
    "print(pool:submit(function() return game.name() .. ' ' .. order end)\n"
    "        :result())\n"
    "print(pool:submit(function()\n"
    "  local futures = require 'futures'\n"
    "  local pool <close> = futures.ThreadPoolExecutor(1)\n"
    "  return 'futures ' .. tostring(pool:submit(function()\n"
    "    return require 'game' == game end):result())\n"
    "end):result())";

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "futures", luaopen_futures, 0);
  futures_on_state(first);
  futures_on_state(second);
  futures_on_state(first); /* is there already */
  if (luaL_dostring(L, script) != LUA_OK)
    return fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return atomic_load(&states) != 2;
}
