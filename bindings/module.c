/* module.c - luaopen_futures_core: opens each class */
#include "context.h"
#include "cpus.h"
#include "current.h"
#include "fail.h"
#include "lawait.h"
#include "lencode.h"
#include "lexecutor.h"
#include "lfd.h"
#include "lfuture.h"
#include "lresults.h"
#include "location.h"
#include "lwait.h"
#include "pool.h"

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

EXPORT int luaopen_futures_core(lua_State *L);

/* cpu_count() */
static int l_cpu_count(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)fut_cpus_usable());
  return 1;
}

/* set_module(table): what require "futures" returns, for hooks that the user
   may replace in it */
static int l_set_module(lua_State *L) {
  context *ctx = context_get(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_unref(L, LUA_REGISTRYINDEX, ctx->module);
  ctx->module = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

/* library_path(), program_path(): nil where the system does not tell */
static int l_library_path(lua_State *L) {
  char path[4096];
  if (!fut_location_library(path, sizeof path))
    return 0;
  lua_pushstring(L, path);
  return 1;
}

static int l_program_path(lua_State *L) {
  char path[4096];
  if (!fut_location_program(path, sizeof path))
    return 0;
  lua_pushstring(L, path);
  return 1;
}

static const luaL_Reg functions[] = {{"cpu_count", l_cpu_count},
                                     {"current", l_current},
                                     {"library_path", l_library_path},
                                     {"program_path", l_program_path},
                                     {"isinstance", l_isinstance},
                                     {"set_module", l_set_module},
                                     {"fd", l_fd},
                                     {NULL, NULL}};

int luaopen_futures_core(lua_State *L) {
  luaL_checkversion(L);
  lua_settop(L, 0);
  lua_newtable(L);
  context *ctx = context_push(L);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  luaL_setfuncs(L, functions, 1);
  fail_open(L, ctx); /* into the module on top */
  lua_pop(L, 1);
  lfuture_open(L, ctx);
  lua_settop(L, 2);
  lexecutor_open(L, ctx);
  lua_settop(L, 2);
  lresults_open(L, ctx);
  lua_settop(L, 2);
  lwait_open(L);
  lua_settop(L, 2);
  lawait_open(L);
  lencode_open(L);
  lua_pushinteger(L, (lua_Integer)FUT_WORKERS_LIMIT);
  lua_setfield(L, 1, "max_workers_limit");
  lua_pushliteral(L, FUT_LIBEXEC); /* seen from the folder of the module */
  lua_setfield(L, 1, "libexec");
  lua_settop(L, 1);
  return 1;
}
