/* lsubmit.h - a call given to an executor, as Lua does it */
#ifndef FUT_LSUBMIT_H
#define FUT_LSUBMIT_H

#include "context.h"
#include "lfuture.h"
#include "lview.h"

/* Raise unless the argument is what submit takes: a function, or code, which
   becomes one. */
void executor_function(lua_State *L, int arg);

/* Schedule a call: the count values from index first on are the function and
   its arguments. The box, which is empty and on the stack, gets the future.
   Raises what submit raises. Blocks while too many tasks wait. */
void executor_schedule(lua_State *L, context *ctx, fut_executor *executor,
                       future_box *box, int first, int count,
                       const call_options *options);

/* Raise what keeps the executor from taking tasks. */
_Noreturn void executor_raise(lua_State *L, context *ctx,
                              const fut_executor *executor, fut_err err);

/* submit(executor, fn, ...) -> future */
int l_executor_submit(lua_State *L);

/* Return how what workers of the executor are sent is encoded, and what comes
   back. */
enum wire_mode executor_mode(const fut_executor *executor);

/* Return an empty message for workers of the executor, as context_message(). */
wire_message *executor_message(lua_State *L, context *ctx,
                               fut_executor *executor);

#endif
