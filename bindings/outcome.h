/* outcome.h - what a future came to, as Lua values */
#ifndef FUT_OUTCOME_H
#define FUT_OUTCOME_H

#include "lfuture.h"

/* Push the outcome of the future at index 1, which is FINISHED (all values) or
   FAILED (error, traceback or nil); return how many. What has an identity is
   decoded only once, so that it is the same value each time. */
int outcome_push(lua_State *L, context *ctx, const fut_future *future,
                 fut_state state);

/* Push the extras of the future at index 1 and a table of the values from
   index first to the top, which stay; finalizers may run meanwhile. */
void outcome_pack(lua_State *L, int first);

/* Make the two that outcome_pack() has pushed the future's outcome, and pop
   them. No finalizer runs. */
void outcome_set(lua_State *L);

#endif
