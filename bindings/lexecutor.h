/* lexecutor.h - the classes of executors as Lua sees them */
#ifndef FUT_LEXECUTOR_H
#define FUT_LEXECUTOR_H

#include "context.h"
#include "lview.h"

typedef struct executor_box {
  const void *magic;
  fut_executor *executor; /* a reference; NULL before and after */
} executor_box;

/* Make classes and constructors; the context is on top of the stack, the
   module below it. */
void lexecutor_open(lua_State *L, context *ctx);

/* Return the box of the argument, which may be a view. Raises if it is none. */
executor_box *executor_check(lua_State *L, int arg);

/* Raise unless the argument is what submit takes: a function, or code, which
   becomes one. */
void executor_function(lua_State *L, int arg);

/* Schedule a call: the count values from index first on are the function and
   its arguments. Push the future. Raises what submit raises. Blocks while too
   many tasks wait. */
void executor_schedule(lua_State *L, context *ctx, fut_executor *executor,
                       int first, int count, const call_options *options);

/* Raise what keeps the executor from taking tasks. */
_Noreturn void executor_raise(lua_State *L, context *ctx,
                              const fut_executor *executor, fut_err err);

#endif
