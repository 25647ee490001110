/* signals.c - a host whose handlers, dispositions and mask are its own */
#include <futures_lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char script[] =
    "local futures = require 'futures'\n"
    "local pool <close> = futures.ThreadPoolExecutor(2)\n"
    "local fs = {}\n"
    "for i = 1, 50 do fs[i] = pool:submit(function() return 1 end) end\n"
    "futures.wait(fs)\n"
    "local ok, err = pool:submit(pcall, error, 'oops'):result()\n"
    "assert(not ok and err == 'oops')";

static volatile sig_atomic_t urgent;

static void on_urgent(int number) {
  (void)number;
  urgent++;
}

static void use_pools(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "futures", luaopen_futures, 0);
  if (luaL_dostring(L, script) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(1);
  }
  lua_close(L);
}

static void expect(int fine, const char *what) {
  if (!fine)
    exit(fprintf(stderr, "not %s\n", what));
  printf("%s\n", what);
}

int main(void) {
  struct sigaction action, after;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_urgent;
  sigaction(SIGURG, &action, NULL);
  use_pools();
  raise(SIGURG);
  expect(urgent == 1, "SIGURG mine");

  signal(SIGCHLD, SIG_IGN);
  use_pools();
  sigaction(SIGCHLD, NULL, &after);
  expect(after.sa_handler == SIG_IGN, "SIGCHLD ignored");

  sigset_t all, mask;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  use_pools();
  sigprocmask(SIG_SETMASK, NULL, &mask);
  expect(sigismember(&mask, SIGURG) && sigismember(&mask, SIGINT) &&
             sigismember(&mask, SIGSEGV),
         "all blocked");
  return 0;
}
