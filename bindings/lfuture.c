/* lfuture.c - the class of futures as Lua sees it

   A future is a task's (job.h), or one that Lua code completes (promise.h). */
#include "lfuture.h"

#include "arg.h"
#include "callbacks.h"
#include "fail.h"
#include "interrupt.h"
#include "job.h"
#include "lawait.h"
#include "nest.h"
#include "outcome.h"
#include "promise.h"

const char future_magic = 'f';

/* --- boxes ---------------------------------------------------------------- */

future_box *future_push(lua_State *L, context *ctx) {
  future_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (future_box){.magic = &future_magic};
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->future);
  lua_setmetatable(L, -2);
  context_keep_new(L, ctx);
  return box;
}

future_box *future_test(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA ||
      lua_rawlen(L, index) != sizeof(future_box))
    return NULL;
  future_box *box = lua_touserdata(L, index);
  return box->magic == &future_magic ? box : NULL;
}

future_box *future_check(lua_State *L, int arg) {
  future_box *box = future_test(L, arg);
  if (box == NULL)
    arg_type_error(L, arg, "Future");
  if (box->future == NULL)
    luaL_error(L, "the Lua state is closing");
  return box;
}

void future_extra(lua_State *L, int index) {
  if (lua_getiuservalue(L, index, 1) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_createtable(L, 4, 0);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, index < 0 ? index - 2 : index, 1);
}

void future_safe_point(lua_State *L, context *ctx) {
  if (fut_completions_ready(&ctx->callbacks) > 0 || ctx->kept_count > 0 ||
      ctx->broken_off)
    callbacks_run(L, ctx);
}

void future_settle(lua_State *L, context *ctx, fut_future *future) {
  fut_future_settle(future);
  future_safe_point(L, ctx);
}

static void drop(future_box *box, fut_arena *here) {
  fut_future *future = box->future;
  box->future = NULL;
  fut_future_release(future, here);
}

/* Put the future at index 1 into a table of the registry, under key, and let
   it be finalized once more later. */
static void revive(lua_State *L, int table) {
  lua_getmetatable(L, 1);
  lua_setmetatable(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, table);
  lua_pushvalue(L, 1);
}

static int future_gc(lua_State *L) {
  context *ctx = lua_touserdata(L, lua_upvalueindex(1));
  future_box *box = lua_touserdata(L, 1);
  lua_Debug ar;
  if (box->future == NULL)
    return 0;
  if (ctx->arena && !ctx->finishing && !box->kept &&
      !lua_getstack(L, 1, &ar)) { /* as in lua_close(): see context.c */
    box->kept = true;
    revive(L, ctx->kept);
    lua_rawseti(L, -2, ++ctx->kept_count);
    return 0;
  }
  if (box->hand) {
    fut_object *hand = box->hand;
    box->hand = NULL;
    fut_object_release(hand); /* the last one cancels the future */
    if (ctx->arena && box->watching && !ctx->finishing) {
      revive(L, ctx->strong); /* its callbacks are still to run */
      lua_rawsetp(L, -2, box->watch);
      return 0;
    }
  }
  if (ctx->arena)
    callbacks_forget(L, ctx, box);
  drop(box, ctx->arena);
  return 0;
}

/* --- outcomes --------------------------------------------------------------
 */

bool future_wait_until(lua_State *L, context *ctx, fut_future *future,
                       fut_deadline deadline) {
  if (!fut_state_done(fut_future_state(future))) {
    interrupt_check(L, ctx);
    callbacks_go_on(L, ctx);
    if (deadline == FUT_NEVER)
      nest_run(L, ctx, future);
    fut_err err;
    do {
      fut_wait wait = context_wait(ctx, deadline);
      err = fut_wait_future(&wait, future);
      if (err == FUT_EAGAIN)
        callbacks_run(L, ctx);
      else if (err == FUT_EINTR)
        interrupt_deliver(L, ctx);
    } while (err == FUT_EAGAIN || err == FUT_EINTR);
    if (err == FUT_ETIMEDOUT)
      return false;
    if (err != FUT_OK)
      fail_raise_err(L, ctx, err);
  }
  future_settle(L, ctx, future);
  return true;
}

void future_wait(lua_State *L, context *ctx, fut_future *future,
                 fut_deadline deadline) {
  if (!future_wait_until(L, ctx, future, deadline))
    fail_raise(L, ctx, FAIL_TIMEOUT, "the future is not done yet");
}

_Noreturn void future_raise_cancelled(lua_State *L, context *ctx) {
  fail_raise(L, ctx, FAIL_CANCELLED, "the future was cancelled");
}

int future_deliver(lua_State *L, context *ctx, future_box *box) {
  box->asked = true;
  fut_state state = fut_future_state(box->future);
  if (state == FUT_CANCELLED)
    future_raise_cancelled(L, ctx);
  lua_settop(L, 1);
  int count = outcome_push(L, ctx, box->future, state);
  if (state == FUT_FAILED) {
    lua_pop(L, 1); /* the traceback */
    return lua_error(L);
  }
  return count;
}

static int l_future_result(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  future_wait(L, ctx, box->future, arg_deadline(L, 2));
  return future_deliver(L, ctx, box);
}

/* Push error and traceback, both nil for a future that did not fail. */
static void push_error(lua_State *L, context *ctx, const fut_future *future,
                       fut_state state) {
  if (state == FUT_FAILED)
    outcome_push(L, ctx, future, state);
  else {
    lua_pushnil(L);
    lua_pushnil(L);
  }
}

static int l_future_exception(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  future_wait(L, ctx, box->future, arg_deadline(L, 2));
  box->asked = true;
  fut_state state = fut_future_state(box->future);
  if (state == FUT_CANCELLED)
    future_raise_cancelled(L, ctx);
  push_error(L, ctx, box->future, state);
  lua_pop(L, 1);
  return 1;
}

/* Return the state of the future of a box as of now. */
static fut_state state_of(const future_box *box) {
  return future_is_job(box->future) ? fut_task_state((fut_task *)box->future)
                                    : fut_future_state(box->future);
}

static int l_future_traceback(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  push_error(L, ctx, box->future, state_of(box));
  return 1;
}

/* --- states ----------------------------------------------------------------
 */

/* Cancel a task, or (stop) one that runs. Whether that was done. */
static bool cancel_task(fut_task *task, bool stop) {
  if (fut_task_cancel(task)) {
    job_drop(&task->future);
    return true;
  }
  return stop && fut_task_stop(task);
}

/* future:cancel(stop) */
static int l_future_cancel(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  bool stop = false;
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    stop = lua_toboolean(L, 2);
  }
  if (fut_future_state(box->future) == FUT_PENDING)
    callbacks_expect(L, ctx, box);
  bool cancelled = future_is_job(box->future)
                       ? cancel_task((fut_task *)box->future, stop)
                       : fut_future_cancel(box->future);
  fut_state state = fut_future_state(box->future);
  if (fut_state_done(state))
    future_settle(L, ctx, box->future);
  else
    callbacks_run(L, ctx);
  lua_pushboolean(L, cancelled || state == FUT_CANCELLED);
  return 1;
}

static int l_future_cancelled(lua_State *L) {
  future_box *box = future_check(L, 1);
  lua_pushboolean(L, state_of(box) == FUT_CANCELLED);
  return 1;
}

static int l_future_running(lua_State *L) {
  future_box *box = future_check(L, 1);
  lua_pushboolean(L, state_of(box) == FUT_RUNNING);
  return 1;
}

static int l_future_done(lua_State *L) {
  future_box *box = future_check(L, 1);
  lua_pushboolean(L, fut_state_done(state_of(box)));
  return 1;
}

static int l_future_add_done_callback(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  arg_callable(L, 2);
  lua_settop(L, 2);
  callbacks_add(L, ctx, box, 2);
  return 0;
}

/* Push the Lua type of the first value at index, or the name of its class. */
static void push_kind(lua_State *L, context *ctx, int index, bool error) {
  if (error && fail_class_of(L, ctx, index) >= 0)
    luaL_getmetafield(L, index, "__name");
  else
    lua_pushstring(L, lua_isnone(L, index) ? "nil" : luaL_typename(L, index));
}

static int l_future_tostring(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  const void *address = box->future;
  fut_state state = state_of(box);
  static const char *const names[] = {"pending", "running", "cancelled"};
  if (state <= FUT_CANCELLED) {
    lua_pushfstring(L, "<Future at %p state=%s>", address, names[state]);
    return 1;
  }
  lua_settop(L, 1);
  outcome_push(L, ctx, box->future, state);
  push_kind(L, ctx, 2, state == FUT_FAILED);
  lua_pushfstring(L, "<Future at %p state=finished %s %s>", address,
                  state == FUT_FAILED ? "raised" : "returned",
                  lua_tostring(L, -1));
  return 1;
}

/* --- fields of the user's ---------------------------------------------------
 */

/* future.key = value, for one without fields and with */
static int l_future_newindex(lua_State *L) {
  context *ctx = context_get(L);
  future_check(L, 1);
  if (lua_isnil(L, 2) || !lua_rawequal(L, 2, 2)) /* with the line of it */
    return luaL_error(L, "index is %s", lua_isnil(L, 2) ? "nil" : "NaN");
  future_extra(L, 1);
  if (lua_rawgeti(L, -1, EXTRA_FIELDS) == LUA_TNIL) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -4, EXTRA_FIELDS);
    lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->fields);
    lua_setmetatable(L, 1); /* from here on, look there first */
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, -3);
  return 0;
}

/* future.key, for one with fields; the second upvalue holds the methods */
static int l_future_index(lua_State *L) {
  if (future_test(L, 1)) {
    lua_getiuservalue(L, 1, 1);
    lua_rawgeti(L, -1, EXTRA_FIELDS);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL)
      return 1;
  }
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(2));
  return 1;
}

static const luaL_Reg methods[] = {
    {"result", l_future_result},
    {"await", l_future_await},
    {"exception", l_future_exception},
    {"traceback", l_future_traceback},
    {"cancel", l_future_cancel},
    {"cancelled", l_future_cancelled},
    {"running", l_future_running},
    {"done", l_future_done},
    {"add_done_callback", l_future_add_done_callback},
    {"set_result", l_future_set_result},
    {"set_exception", l_future_set_exception},
    {"set_running_or_notify_cancel", l_future_set_running_or_notify_cancel},
    {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", future_gc},
                                       {"__tostring", l_future_tostring},
                                       {"__newindex", l_future_newindex},
                                       {NULL, NULL}};

/* Push a metatable of the class at index class. */
static void push_metatable(lua_State *L, int upvalue, int class) {
  lua_createtable(L, 0, 6);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, metamethods, 1);
  lua_pushliteral(L, "Future");
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, class);
  lua_setfield(L, -2, "__class");
}

void lfuture_open(lua_State *L, context *ctx) {
  int upvalue = lua_gettop(L), module = upvalue - 1;
  lua_createtable(L, 0, 16); /* the class, which holds the methods */
  int class = lua_gettop(L);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, methods, 1);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, upvalue);
  lua_pushcclosure(L, l_future_new, 1);
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, class);
  push_metatable(L, upvalue, class);
  lua_pushvalue(L, class);
  lua_setfield(L, -2, "__index");
  ctx->future = luaL_ref(L, LUA_REGISTRYINDEX);
  push_metatable(L, upvalue, class);
  lua_pushvalue(L, upvalue);
  lua_pushvalue(L, class);
  lua_pushcclosure(L, l_future_index, 2);
  lua_setfield(L, -2, "__index");
  ctx->fields = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_setfield(L, module, "Future");
}
