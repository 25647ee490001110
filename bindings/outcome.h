/* outcome.h - what a future came to, as Lua values */
#ifndef FUT_OUTCOME_H
#define FUT_OUTCOME_H

#include "job.h"
#include "lfuture.h"

/* Push the outcome of the future at index 1, which is FINISHED (all values) or
   FAILED (error, traceback or nil); return how many. What has an identity is
   decoded only once, so that it is the same value each time. */
int outcome_push(lua_State *L, context *ctx, const fut_future *future,
                 fut_state state);

/* Push what an outcome that came as bytes is: all values of one that FINISHED,
   error and traceback or nil of one that FAILED; return how many. */
int outcome_decode(lua_State *L, context *ctx, const job_content *content,
                   enum wire_mode mode, fut_state state);

/* Push the extras of the future at index 1 and a table of the values from
   index first to the top, which stay; finalizers may run meanwhile. */
void outcome_pack(lua_State *L, int first);

/* Make the two that outcome_pack() has pushed the future's outcome, and pop
   them. No finalizer runs. */
void outcome_set(lua_State *L);

#endif
