/* errors.c - errors on their way through the library, in this host's Lua

   With FROM_FILES the module comes from where package.cpath says. */
#ifdef FROM_FILES
#include <lua.h>
#else
#include <futures_lua.h>
#endif
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

static const char script[] =
    "local futures = require 'futures'\n"
    "local pool = futures.ThreadPoolExecutor(1)\n"
    "local ok, err = pcall(function()\n"
    "  pool:submit(function() error 'oops' end):result()\n"
    "end)\n"
    "assert(not ok)\n"
    "print('in a task: ' .. err)\n"
    "local co = coroutine.create(print)\n"
    "ok, err = pcall(pool.submit, pool, print, co)\n"
    "print('at submit: ' .. tostring(err))\n"
    "function futures.on_callback_error(e) print('in a callback: ' .. e) end\n"
    "local f = futures.Future()\n"
    "f:add_done_callback(function() error('oops', 0) end)\n"
    "f:set_result()\n"
    "pool:shutdown()";

#ifndef FROM_FILES
static const char last[] =
    "local futures = require 'futures'\n"
    "local pool <close> = futures.ThreadPoolExecutor(1)\n"
    "print('by on_state: ' .. pool:submit(print):exception():match ': (.*)')";

static int on_state(lua_State *L) { return luaL_error(L, "on my account"); }
#endif

static int run(lua_State *L, const char *text) {
  if (luaL_loadbuffer(L, text, strlen(text), "=errors") != LUA_OK ||
      lua_pcall(L, 0, 0, 0) != LUA_OK)
    return fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  return 0;
}

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
#ifndef FROM_FILES
  luaL_requiref(L, "futures", luaopen_futures, 0);
#endif
  int failed = run(L, script);
#ifndef FROM_FILES
  futures_on_state(on_state);
  failed = failed || run(L, last);
#endif
  lua_close(L);
  return failed;
}
