/* lshutdown.c - the end of an executor, as Lua brings it about */
#include "lshutdown.h"

#include "arg.h"
#include "callbacks.h"
#include "fail.h"
#include "interrupt.h"
#include "lexecutor.h"
#include "lfuture.h"
#include "state.h"

#include <signal.h>
#include <string.h>

/* Wait until no worker runs; callbacks run meanwhile. */
static void wait_terminated(lua_State *L, context *ctx,
                            fut_executor *executor) {
  if (fut_executor_forked(executor)) {
    callbacks_run(L, ctx);
    return;
  }
  interrupt_check(L, ctx);
  callbacks_go_on(L, ctx);
  fut_err err;
  do {
    fut_wait wait = context_wait(ctx, FUT_NEVER);
    err = fut_wait_future(&wait, fut_executor_terminated(executor));
    if (err == FUT_EAGAIN)
      callbacks_run(L, ctx);
    else if (err == FUT_EINTR)
      interrupt_deliver(L, ctx);
    else if (err != FUT_OK)
      fail_raise_err(L, ctx, err);
  } while (err != FUT_OK);
  fut_executor_join(executor);
  future_settle(L, ctx, fut_executor_terminated(executor));
}

static bool option(lua_State *L, const char *name, bool otherwise) {
  lua_getfield(L, 2, name);
  if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
    luaL_argerror(L, 2,
                  lua_pushfstring(L, "option '%s': boolean expected, got %s",
                                  name, luaL_typename(L, -1)));
  bool value = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* Raise for a key that is no option. */
static void check_options(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    const char *key =
        lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    if (key == NULL ||
        (strcmp(key, "wait") != 0 && strcmp(key, "cancel_futures") != 0))
      luaL_argerror(L, 2,
                    lua_pushfstring(L, "unknown option '%s'",
                                    luaL_tolstring(L, -2, NULL)));
    lua_pop(L, 1);
  }
}

int l_executor_shutdown(lua_State *L) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  bool wait = true, cancel = false;
  if (lua_isboolean(L, 2))
    wait = lua_toboolean(L, 2);
  else if (!lua_isnoneornil(L, 2)) {
    if (!lua_istable(L, 2))
      arg_type_error(L, 2, "table or boolean");
    check_options(L);
    wait = option(L, "wait", true);
    cancel = option(L, "cancel_futures", false);
  }
  if (wait && fut_executor_inside(box->executor))
    fail_raise_err(L, ctx, FUT_EDEADLOCK);
  fut_executor_shutdown(box->executor, cancel);
  if (wait)
    wait_terminated(L, ctx, box->executor);
  else
    callbacks_run(L, ctx);
  return 0;
}

int l_executor_close(lua_State *L) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  bool failed = !lua_isnoneornil(L, 2);
  if (fut_executor_inside(box->executor))
    fail_raise_err(L, ctx, FUT_EDEADLOCK);
  fut_executor_shutdown(box->executor, failed);
  bool stopped = ctx->local && state_stopping(ctx->local);
  if (failed && (stopped || interrupt_is(L, ctx, 2))) {
    /* who wants out: what runs is stopped, and nobody waits for that, nor for
       callbacks, which run at the next safe point */
    fut_executor_halt(box->executor);
    context_abandon_pool(ctx, box->executor);
  } else
    wait_terminated(L, ctx, box->executor);
  return 0;
}

/* kill(executor, signal): terminate_workers and kill_workers */
static int kill_workers(lua_State *L, int signal) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  fut_executor_kill(box->executor, signal);
  callbacks_run(L, ctx);
  return 0;
}

int l_executor_terminate_workers(lua_State *L) {
  return kill_workers(L, SIGTERM);
}

int l_executor_kill_workers(lua_State *L) { return kill_workers(L, SIGKILL); }
