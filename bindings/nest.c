/* nest.c - a task that waits for others of its pool runs them itself

   That is the fastest way, and takes no thread. Where it cannot be, the wait
   blocks and another worker takes over (runner.h): when somebody else has begun
   with the task, when either task or the wait has a time limit, when the wait
   ends with the first of many, or when the C stack might not suffice, which Lua
   allows about 200 levels. Not inside a callback either: none would run while
   the task waits, and it may wait for one. */
#include "nest.h"

#include "job.h"
#include "state.h"

enum {
  DEPTH_LIMIT = 16, /* tasks inside of each other on one worker */
  LEVEL_LIMIT = 100 /* calls on the stack of the Lua thread that waits */
};

bool nest_run(lua_State *L, context *ctx, fut_future *future) {
  lua_Debug ar;
  if (ctx->runner == NULL || ctx->in_callback || ctx->finishing ||
      !future_is_job(future) || fut_future_state(future) != FUT_PENDING)
    return false;
  fut_task *task = (fut_task *)future;
  if (task->executor != ctx->runner->executor ||
      state_task(ctx->local) == NULL ||
      state_depth(ctx->local) >= DEPTH_LIMIT ||
      lua_getstack(L, LEVEL_LIMIT, &ar))
    return false;
  return state_nest(L, ctx->local, task);
}
