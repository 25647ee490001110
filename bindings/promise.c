/* promise.c - futures that Lua code completes by hand

   Their outcome is in the table of extras and never leaves this state. */
#include "promise.h"

#include "check.h"
#include "fail.h"
#include "job.h"
#include "outcome.h"

static void promise_fini(fut_future *future) { (void)future; }

static const fut_future_kind promise_kind = {
    .object = {"future", fut_future_free}, .fini = promise_fini};

int l_future_new(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_push(L, ctx);
  fut_future *future = fut_arena_take(ctx->arena);
  if (future == NULL)
    fail_no_memory(L);
  fut_future_init(future, &promise_kind, ctx->arena);
  future->generation = FUT_ANY_GENERATION; /* a child can complete it, too */
  box->future = future;
  return 1;
}

/* Raise that the state of the future at index 1 does not allow what was
   asked. */
static _Noreturn void raise_state(lua_State *L, context *ctx,
                                  const fut_future *future) {
  static const char *const names[] = {"PENDING", "RUNNING", "CANCELLED",
                                      "FINISHED", "FINISHED"};
  const char *name = names[fut_future_state(future)];
  const char *text = luaL_tolstring(L, 1, NULL);
  if (future_is_job(future) && !fut_state_done(fut_future_state(future)))
    fail_raise(L, ctx, FAIL_INVALID_STATE,
               "%s: %s is completed by its executor", name, text);
  fail_raise(L, ctx, FAIL_INVALID_STATE, "%s: %s", name, text);
}

/* End the future at index 1 with the values from index 2 on. */
static int complete(lua_State *L, fut_state state) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  if (future_is_job(box->future) ||
      fut_state_done(fut_future_state(box->future)))
    raise_state(L, ctx, box->future);
  outcome_pack(L, 2);
  if (fut_state_done(fut_future_state(box->future))) /* by some finalizer */
    raise_state(L, ctx, box->future);
  outcome_set(L);
  CHECK(fut_future_end(box->future, state)); /* only this thread can */
  future_settle(L, ctx, box->future);
  return 0;
}

int l_future_set_result(lua_State *L) { return complete(L, FUT_FINISHED); }

int l_future_set_exception(lua_State *L) {
  luaL_checkany(L, 2);
  luaL_optstring(L, 3, NULL); /* traceback */
  lua_settop(L, 3);
  return complete(L, FUT_FAILED);
}

int l_future_set_running_or_notify_cancel(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  fut_state state = fut_future_state(box->future);
  bool started = !future_is_job(box->future) && fut_future_start(box->future);
  if (!started && (state != FUT_CANCELLED || future_is_job(box->future)))
    raise_state(L, ctx, box->future);
  future_settle(L, ctx, box->future);
  lua_pushboolean(L, started);
  return 1;
}
