/* worker.c - a host that is its own worker process, with its own library */
#include <futures_lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <unistd.h>

static int l_process(lua_State *L) {
  lua_pushinteger(L, getpid());
  return 1;
}

static int open_game(lua_State *L) {
  luaL_newlib(L, ((luaL_Reg[]){{"process", l_process}, {NULL, NULL}}));
  return 1;
}

static int open_libraries(lua_State *L) {
  luaL_requiref(L, "game", open_game, 1);
  return 0;
}

static const char script[] =
    "local futures = require 'futures'\n"
    "local pool <close> = futures.ProcessPoolExecutor(2)\n"
    "local here = game.process()\n"
    "local there = pool:submit(function() return game.process() end):result()\n"
    "print(pool:submit(game.process):result() ~= here, there ~= here)\n"
    "print(pool:submit(function(n)\n"
    "  local futures = require 'futures'\n"
    "  local own <close> = futures.ProcessPoolExecutor(1)\n"
    "  return n + own:submit(function() return game and 1 or 0 end):result()\n"
    "end, 41):result())";

int main(int argc, char **argv) {
  futures_on_state(open_libraries);
  if (futures_is_worker(argc, argv))
    return futures_worker_main(argc, argv);
  if (argc > 1) /* what a worker program says to others */
    return futures_worker_main(argc, argv);
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "futures", luaopen_futures, 0);
  open_libraries(L);
  int failed = luaL_dostring(L, script);
  if (failed)
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return failed;
}
