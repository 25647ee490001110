/* lexecutor.h - the classes of executors as Lua sees them */
#ifndef FUT_LEXECUTOR_H
#define FUT_LEXECUTOR_H

#include "context.h"
#include "lfuture.h"
#include "lview.h"

typedef struct executor_box {
  const void *magic;
  fut_executor *executor; /* NULL before and after */
  fut_object *handle;     /* that this holds; NULL: a reference instead */
} executor_box;

/* Make classes and constructors; the context is on top of the stack, the
   module below it. */
void lexecutor_open(lua_State *L, context *ctx);

/* Push a userdata for an executor of this or another state. In the pool's own
   workers it does not keep the executor open. Raises memory errors. */
void executor_push(lua_State *L, context *ctx, fut_executor *executor);

/* Return the executor of the userdata at index, or NULL. Never raises. */
fut_executor *executor_test(lua_State *L, int index);

/* Return a handle of an executor that has a userdata here, to be sent.
   Borrowed from that or, in the pool's own workers, from the context until the
   task has ended. */
fut_object *executor_handle(context *ctx, fut_executor *executor);

/* Return the box of the argument, which may be a view. Raises if it is none. */
executor_box *executor_check(lua_State *L, int arg);

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

#endif
