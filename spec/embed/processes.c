/* processes.c - a host that uses the worker program of the installation */
#include <futures_lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

static const char script[] =
    "package.path, package.cpath = '', ''\n"
    "local futures = require 'futures'\n"
    "local pool <close> = futures.ProcessPoolExecutor(2)\n"
    "local f = pool:submit(function(n) return 2 * n end, 21)\n"
    "local g = pool:submit(function() return require 'futures' ~= nil end)\n"
    "print(f:result(), g:result())";

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "futures", luaopen_futures, 0);
  int failed = luaL_dostring(L, script);
  if (failed)
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return failed;
}
