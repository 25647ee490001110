/* current.c - what a task may know of itself

   In a worker process there is no future to be asked about, and no executor:
   those are in the parent. The guardian tells the state there that its call is
   to stop (worker.c). */
#include "current.h"

#include "lfuture.h"
#include "state.h"
#include "travel.h"

/* cancel_requested(): the second upvalue is the future of the task */
static int l_cancel_requested(lua_State *L) {
  future_box *box = lua_touserdata(L, lua_upvalueindex(2));
  lua_pushboolean(L, box->future && (fut_future_asked(box->future) ||
                                     fut_future_abandoned(box->future)));
  return 1;
}

/* The same, where the second upvalue is the number of the call; false once that
   has ended. */
static int l_call_cancel_requested(lua_State *L) {
  context *ctx = context_get(L);
  uint64_t number = (uint64_t)lua_tointeger(L, lua_upvalueindex(2));
  lua_pushboolean(L, ctx->local && state_call_number(ctx->local) == number &&
                         state_stop_asked(ctx->local));
  return 1;
}

int l_current(lua_State *L) {
  context *ctx = context_get(L);
  lua_settop(L, 0);
  if (ctx->runner == NULL || state_call_number(ctx->local) == 0) {
    lua_pushnil(L);
    return 1;
  }
  fut_task *task = state_task(ctx->local);
  fut_executor *executor = ctx->runner->executor;
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, (lua_Integer)ctx->runner->number);
  lua_setfield(L, 1, "worker");
  if (executor) {
    travel_push(L, &executor->handle);
    lua_setfield(L, 1, "executor");
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  if (task) {
    travel_push(L, &task->future.object);
    lua_pushcclosure(L, l_cancel_requested, 2);
  } else {
    lua_pushinteger(L, (lua_Integer)state_call_number(ctx->local));
    lua_pushcclosure(L, l_call_cancel_requested, 2);
  }
  lua_setfield(L, 1, "cancel_requested");
  return 1;
}
