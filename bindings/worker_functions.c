/* worker_functions.c - what Lua's libraries do otherwise in a worker thread */
#include "worker_functions.h"

#include "allocator.h"
#include "program.h"
#include "stop.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

/* The process is not the task's to end. */
static int l_os_exit(lua_State *L) {
  lua_settop(L, 1);
  luaL_where(L, 1);
  if (lua_isboolean(L, 1))
    lua_pushstring(L, lua_toboolean(L, 1) ? "true" : "false");
  else if (lua_isnoneornil(L, 1))
    lua_pushliteral(L, "");
  else
    lua_pushinteger(L, luaL_checkinteger(L, 1));
  lua_pushfstring(L, "%sos.exit(%s) in a worker thread ends only its task",
                  lua_tostring(L, -2), lua_tostring(L, -1));
  stop_exit(L);
}

/* The first upvalue is the function that this replaces. */
static int l_os_setlocale(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushnil(L);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  if (lua_isnil(L, 1) || lua_compare(L, 1, -1, LUA_OPEQ))
    return 1;
  return luaL_error(L,
                    "os.setlocale in a worker thread: the locale '%s' is that "
                    "of the whole process",
                    luaL_tolstring(L, -1, NULL));
}

/* As print, but a line comes out as a whole. */
static int l_print(lua_State *L) {
  int count = lua_gettop(L);
  luaL_Buffer line;
  for (int i = 1; i <= count; i++) {
    luaL_tolstring(L, i, NULL);
    lua_replace(L, i);
  }
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1)
      luaL_addchar(&line, '\t');
    lua_pushvalue(L, i);
    luaL_addvalue(&line);
  }
  luaL_addchar(&line, '\n');
  luaL_pushresult(&line);
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  fwrite(text, 1, length, stdout);
  fflush(stdout);
  return 0;
}

static const sigset_t *signals_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static int l_os_execute(lua_State *L) {
  const char *command = luaL_optstring(L, 1, NULL);
  if (command == NULL) {
    lua_pushboolean(L, fut_program_shell());
    return 1;
  }
  fut_program program;
  int status = -1;
  if (fut_program_start(&program, command, signals_of(L)))
    while (!fut_program_wait(&program, &status))
      if (stop_asked(stop_of(L))) /* a signal, and it is for us */
        fut_program_terminate(&program);
  if (status != -1)
    errno = 0; /* that of the program counts */
  return luaL_execresult(L, status);
}

/* A file as io knows it, and what it leads to. */
struct pipe {
  luaL_Stream stream;
  fut_program program;
};

static int close_pipe(lua_State *L) {
  struct pipe *pipe = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  fclose(pipe->stream.f);
  int status = -1;
  while (!fut_program_wait(&pipe->program, &status))
    ;
  if (status != -1)
    errno = 0;
  return luaL_execresult(L, status);
}

/* Check the arguments of popen, which is called now; return the mode. */
static const char *begin_popen(lua_State *L) {
  luaL_checkstring(L, 1);
  const char *mode = luaL_optstring(L, 2, "r");
  luaL_argcheck(L, strcmp(mode, "r") == 0 || strcmp(mode, "w") == 0, 2,
                "invalid mode");
  allocator_of(L)->waits = true;
  return mode;
}

/* The first upvalue is the function that this replaces. */
static int l_popen(lua_State *L) {
  begin_popen(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int l_io_popen(lua_State *L) {
  const char *mode = begin_popen(L);
  const char *command = lua_tostring(L, 1);
  struct pipe *pipe = lua_newuserdatauv(L, sizeof *pipe, 0);
  pipe->stream.closef = NULL; /* closed, until there is a file */
  luaL_setmetatable(L, LUA_FILEHANDLE);
  pipe->stream.f =
      fut_program_open(&pipe->program, command, *mode == 'w', signals_of(L));
  if (pipe->stream.f == NULL)
    return luaL_fileresult(L, 0, command);
  pipe->stream.closef = close_pipe;
  return 1;
}

/* Set the function on top of the stack in the library of that name. */
static void set(lua_State *L, const char *library, const char *name) {
  lua_getglobal(L, library);
  lua_insert(L, -2);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

void worker_functions_replace(lua_State *L, const sigset_t *signals) {
  lua_pushcfunction(L, l_print);
  lua_setglobal(L, "print");
  lua_pushcfunction(L, l_os_exit);
  set(L, LUA_OSLIBNAME, "exit");
  lua_getglobal(L, LUA_OSLIBNAME);
  lua_getfield(L, -1, "setlocale");
  lua_remove(L, -2);
  lua_pushcclosure(L, l_os_setlocale, 1);
  set(L, LUA_OSLIBNAME, "setlocale");
  lua_pushlightuserdata(L, (void *)signals);
  lua_pushcclosure(L, l_os_execute, 1);
  set(L, LUA_OSLIBNAME, "execute");
  lua_pushlightuserdata(L, (void *)signals);
  lua_pushcclosure(L, l_io_popen, 1);
  set(L, LUA_IOLIBNAME, "popen");
}

void worker_functions_watch(lua_State *L) {
  lua_getglobal(L, LUA_IOLIBNAME);
  lua_getfield(L, -1, "popen");
  lua_remove(L, -2);
  lua_pushcclosure(L, l_popen, 1);
  set(L, LUA_IOLIBNAME, "popen");
}
