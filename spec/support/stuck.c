/* stuck.c - C code that a task may get stuck in, as libraries have it */
#include <lauxlib.h>
#include <lua.h>

#include <errno.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int luaopen_stuck(lua_State *L);

/* nap(seconds): no signal shortens it */
static int l_nap(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  struct timespec left = {
      (time_t)seconds, (long)((seconds - (lua_Number)(time_t)seconds) * 1e9)};
  while (nanosleep(&left, &left) != 0 && errno == EINTR)
    ;
  return 0;
}

/* doze(seconds): a signal ends it; returns whether one did */
static int l_doze(lua_State *L) {
  struct timespec left = {(time_t)luaL_checknumber(L, 1), 0};
  lua_pushboolean(L, nanosleep(&left, NULL) != 0);
  return 1;
}

/* read(file, mark): make a file of the name mark, then read a byte, however
   many signals come */
static int l_read(lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  fclose(fopen(luaL_checkstring(L, 2), "w"));
  char byte;
  while (read(fileno(stream->f), &byte, 1) < 0 && errno == EINTR)
    ;
  return 0;
}

/* resume(fn): run it in a thread of its own, as C libraries do */
static int l_resume(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  int count;
  lua_pushinteger(L, lua_resume(co, L, 0, &count));
  return 1;
}

/* swallow(fn): call it, and keep its error */
static int l_swallow(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_pcall(L, 0, 0, 0);
  return 0;
}

static const luaL_Reg functions[] = {
    {"nap", l_nap},       {"doze", l_doze},       {"read", l_read},
    {"resume", l_resume}, {"swallow", l_swallow}, {NULL, NULL}};

int luaopen_stuck(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
