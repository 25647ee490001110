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
    "assert(not ok and err == 'oops')\n"
    "local endless = pool:submit(function() while true do end end)\n"
    "repeat until endless:running()\n"
    "endless:cancel(true)\n"
    "assert(not pcall(endless.result, endless) and endless:cancelled())\n"
    "local processes = futures.ProcessPoolExecutor(2)\n"
    "for i = 1, 50 do fs[i] = processes:submit(function() return i end) end\n"
    "for i = 1, 50 do assert(fs[i]:result() == i) end\n"
    "local err = processes:submit(os.exit, 3):exception()\n"
    "processes:shutdown()\n"
    "death = err.message:match 'exited with code 3'\n"
    "  or err.message:match 'exit status taken by the host'";

static volatile sig_atomic_t urgent;

static void on_urgent(int number) {
  (void)number;
  urgent++;
}

/* Use them; print what was said of a worker that died. */
static void use_pools(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "futures", luaopen_futures, 0);
  if (luaL_dostring(L, script) != LUA_OK) {
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
    exit(1);
  }
  lua_getglobal(L, "death");
  printf("%s, ", lua_tostring(L, -1));
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

  signal(SIGCHLD, SIG_DFL);
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
