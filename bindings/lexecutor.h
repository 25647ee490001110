/* lexecutor.h - the classes of executors as Lua sees them */
#ifndef FUT_LEXECUTOR_H
#define FUT_LEXECUTOR_H

#include "context.h"

typedef struct executor_box {
  const void *magic;
  fut_executor *executor; /* NULL before and after */
  fut_object *handle;     /* that this holds; NULL: a reference instead */
} executor_box;

/* Make classes and constructors; the context is on top of the stack, the
   module below it. */
void lexecutor_open(lua_State *L, context *ctx);

/* Push an empty box of the class whose metatable the reference is. */
executor_box *executor_box_push(lua_State *L, int metatable);

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

#endif
