/* fork.c - the module fork: a child process that runs a function */
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

EXPORT int luaopen_fork(lua_State *L);

/* fork() -> pid, or 0 in the child */
static int l_fork(lua_State *L) {
  fflush(NULL);
  pid_t pid = fork();
  if (pid < 0)
    return luaL_error(L, "cannot fork");
  lua_pushinteger(L, pid);
  return 1;
}

/* wait(pid) -> "exit" or "signal", number */
static int l_wait(lua_State *L) {
  int status;
  pid_t pid = (pid_t)luaL_checkinteger(L, 1);
  if (waitpid(pid, &status, 0) != pid)
    return luaL_error(L, "no such child");
  lua_pushstring(L, WIFEXITED(status) ? "exit" : "signal");
  lua_pushinteger(L,
                  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  return 2;
}

/* leave(code): end the process at once */
static int l_leave(lua_State *L) { _exit((int)luaL_checkinteger(L, 1)); }

static const luaL_Reg functions[] = {
    {"fork", l_fork}, {"wait", l_wait}, {"leave", l_leave}, {NULL, NULL}};

int luaopen_fork(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
