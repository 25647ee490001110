/* current.c - what a task may know of itself */
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

int l_current(lua_State *L) {
  context *ctx = context_get(L);
  fut_task *task = ctx->local ? state_task(ctx->local) : NULL;
  lua_settop(L, 0);
  if (task == NULL || ctx->runner == NULL) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, (lua_Integer)ctx->runner->number);
  lua_setfield(L, 1, "worker");
  travel_push(L, &ctx->runner->executor->handle);
  lua_setfield(L, 1, "executor");
  lua_pushvalue(L, lua_upvalueindex(1));
  travel_push(L, &task->future.object);
  lua_pushcclosure(L, l_cancel_requested, 2);
  lua_setfield(L, 1, "cancel_requested");
  return 1;
}
