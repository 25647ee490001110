/* nest.h - a task that waits for others of its pool runs them itself */
#ifndef FUT_NEST_H
#define FUT_NEST_H

#include "context.h"

/* If the future is that of a task of this worker's own pool that nobody has
   started, run it here and now, inside of the running task, where that is
   possible: whether it was. For those who have to wait until it ends, without a
   time limit. Requires a reference that lasts. Runs user code. Raises memory
   errors, and then has not started it. */
bool nest_run(lua_State *L, context *ctx, fut_future *future);

#endif
