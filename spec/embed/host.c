/* host.c - a whole host: a pool for Lua, a pool for C, and no file beside it */
#include <futures_lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

static const char script[] =
    "package.path, package.cpath = '', ''\n"
    "local futures = require 'futures'\n"
    "local pool <close> = futures.ThreadPoolExecutor(2)\n"
    "local f = pool:submit(function(n) return 2 * n end, 21)\n"
    "local g = pool:submit(function() return require 'futures' ~= nil end)\n"
    "print(f:result(), g:result())";

static void *increment(void *number) {
  ++*(int *)number;
  return number;
}

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "futures", luaopen_futures, 0);
  if (luaL_dostring(L, script) != LUA_OK)
    return fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);

  futures_executor *pool;
  futures_future *future;
  int number = 6, failed;
  failed = futures_thread_pool_new(NULL, &pool) ||
           futures_submit(pool, increment, &number, &future) ||
           futures_result(future, futures_after(60), NULL);
  futures_future_release(future);
  futures_shutdown(pool, false);
  futures_join(pool, FUTURES_NEVER);
  futures_executor_release(pool);
  printf("%d\n", number);
  return failed;
}
