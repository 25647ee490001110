/* module.c - luaopen_futures_core: opens each class */
#include "context.h"
#include "cpus.h"
#include "fail.h"
#include "lencode.h"
#include "lexecutor.h"
#include "lfuture.h"
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

static const luaL_Reg functions[] = {{"cpu_count", l_cpu_count},
                                     {"isinstance", l_isinstance},
                                     {"set_module", l_set_module},
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
  lwait_open(L);
  lua_settop(L, 2);
  lencode_open(L);
  lua_pushinteger(L, (lua_Integer)FUT_WORKERS_LIMIT);
  lua_setfield(L, 1, "max_workers_limit");
  lua_settop(L, 1);
  return 1;
}
