/* lawait.c - await, and what a scheduler of coroutines needs

   A coroutine that awaits yields the future to whoever resumes it. It also
   leaves a callback that does nothing, so that the end of the future ends a
   poll and makes the descriptor readable, whoever waits there. */
#include "lawait.h"

#include "arg.h"
#include "callbacks.h"
#include "fail.h"
#include "interrupt.h"
#include "job.h"

/* Its address: the first of two values with which a coroutine is resumed in
   whose await the second one is to be raised. */
static const char throw_mark;

static int nothing(lua_State *L) {
  (void)L;
  return 0;
}

/* Yield the future at index 1 until it is done, then deliver it. */
static int go_on(lua_State *L, int status, lua_KContext unused) {
  (void)unused;
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  if (status == LUA_YIELD && lua_touserdata(L, 2) == &throw_mark) {
    lua_settop(L, 3);
    return lua_error(L);
  }
  lua_settop(L, 1);
  fut_future *future = box->future;
  if (fut_future_lost(future))
    fail_raise_err(L, ctx, FUT_ELOST);
  if (box->watch == NULL && !fut_state_done(fut_future_state(future))) {
    lua_pushcfunction(L, nothing);
    callbacks_add(L, ctx, box, 2);
    lua_settop(L, 1);
  }
  if (!fut_state_done(fut_future_state(future))) {
    lua_pushvalue(L, 1);
    return lua_yieldk(L, 1, 0, go_on);
  }
  future_settle(L, ctx, future);
  return future_deliver(L, ctx, box);
}

int l_future_await(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  luaL_argcheck(L, lua_isnoneornil(L, 2), 2, "await takes no timeout");
  lua_settop(L, 1);
  if (lua_isyieldable(L))
    return go_on(L, LUA_OK, 0);
  future_wait(L, ctx, box->future, FUT_NEVER);
  return future_deliver(L, ctx, box);
}

/* asked(future): whether its outcome has been delivered to somebody */
static int l_asked(lua_State *L) {
  lua_pushboolean(L, future_check(L, 1)->asked);
  return 1;
}

/* abandon(future): nobody will complete it any more */
static int l_abandon(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  luaL_argcheck(L, !future_is_job(box->future), 1, "belongs to a task");
  if (fut_future_end(box->future, FUT_CANCELLED))
    future_settle(L, ctx, box->future);
  return 0;
}

/* is_interrupt(err): whether it was Ctrl-C */
static int l_is_interrupt(lua_State *L) {
  context *ctx = context_get(L);
  luaL_checkany(L, 1);
  lua_pushboolean(L, interrupt_is(L, ctx, 1));
  return 1;
}

/* in_callback(): whether a callback is running, so that waits run none */
static int l_in_callback(lua_State *L) {
  lua_pushboolean(L, context_get(L)->in_callback);
  return 1;
}

static const luaL_Reg functions[] = {{"asked", l_asked},
                                     {"abandon", l_abandon},
                                     {"is_interrupt", l_is_interrupt},
                                     {"in_callback", l_in_callback},
                                     {NULL, NULL}};

void lawait_open(lua_State *L) {
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, functions, 1);
  lua_pushlightuserdata(L, (void *)&throw_mark);
  lua_setfield(L, -2, "throw_mark");
  lua_pop(L, 1);
}
