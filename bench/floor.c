/* floor.c - a submit without a pool: what the rest of a task costs

   Linked from the same objects as futures.core, but a module of its own with
   a context of its own. floor.submit(fn, ...) encodes the call, makes the job
   and its future, and gives it the outcome of a worker that returned 1. */
#include "clock.h"
#include "fail.h"
#include "job.h"
#include "lfuture.h"
#include "wire_format.h"

#include <string.h>

__attribute__((visibility("default"))) int luaopen_floor(lua_State *L);

static int l_submit(lua_State *L) {
  context *ctx = context_get(L);
  int count = lua_gettop(L);
  future_box *future = future_push(L, ctx);
  wire_encode(L, ctx->wire, 1, count, WIRE_THREAD, "argument", &ctx->scratch);
  struct job *job = job_new(ctx, &ctx->scratch);
  if (job == NULL)
    fail_no_memory(L);
  future->future = job_future(job);
  job_drop(future->future);
  job_content outcome = job_outcome(future->future);
  static const unsigned char one[] = {WIRE_VERSION, WIRE_FLAG_PLAIN, 1,
                                      WIRE_SMALL + 1 - WIRE_SMALL_MIN,
                                      WIRE_FINISH};
  memcpy((unsigned char *)outcome.bytes, one, sizeof one);
  job_set_size(future->future, sizeof one);
  fut_future_end(future->future, FUT_FINISHED);
  fut_future_release(future->future, ctx->arena);
  return 1;
}

/* Seconds that only grow. */
static int l_clock(lua_State *L) {
  lua_pushnumber(L, (lua_Number)fut_clock_now() / 1e9);
  return 1;
}

static const luaL_Reg functions[] = {
    {"submit", l_submit}, {"clock", l_clock}, {NULL, NULL}};

int luaopen_floor(lua_State *L) {
  lua_settop(L, 0);
  lua_newtable(L);
  lua_newtable(L); /* a module for the classes, which nobody sees */
  context *ctx = context_push(L);
  lua_pushvalue(L, 2);
  fail_open(L, ctx);
  lua_pop(L, 1);
  lfuture_open(L, ctx);
  lua_settop(L, 3);
  lua_pushvalue(L, 1);
  lua_insert(L, 3);
  luaL_setfuncs(L, functions, 1);
  return 1;
}
