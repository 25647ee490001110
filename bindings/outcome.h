/* outcome.h - what a future came to, as Lua values */
#ifndef FUT_OUTCOME_H
#define FUT_OUTCOME_H

#include "lfuture.h"

/* Push the outcome of the future at index 1, which is FINISHED (all values) or
   FAILED (error, traceback or nil); return how many. What has an identity is
   decoded only once, so that it is the same value each time. */
int outcome_push(lua_State *L, context *ctx, const fut_future *future,
                 fut_state state);

/* Keep the values from index first to the top as the outcome of the future at
   index 1; they stay on the stack. */
void outcome_keep(lua_State *L, int first);

#endif
