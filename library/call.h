/* call.h - the call of a C function as a task, and who is told of its end */
#ifndef FUT_CALL_H
#define FUT_CALL_H

#include "futures.h"

#include "executor.h"

/* What a futures_future is. */
typedef struct call {
  fut_task task;
  futures_function *function; /* set once */
  void *argument;             /* set once; borrowed */
  void *result;               /* the worker's until the future has ended */
  fut_err failure;            /* as result: why it was not run */
  _Atomic(struct listener *) listeners; /* atomic: see call.c */
} call;

#define CALL_SIZE sizeof(call)

/* Return a call at so many references, or NULL if memory ran out. Requires
   the arena of the calling thread. */
call *call_new(fut_arena *arena, futures_function *function, void *argument,
               unsigned references);

/* Return the executor whose task the calling thread runs, or NULL. Borrowed. */
fut_executor *call_executor_here(void);

/* If the calling thread runs a task of the executor that the call waits for,
   and nobody has started the call, run it on the spot: false otherwise. */
bool call_help(call *self);

/* Have callback(self, context) called at the end. FUT_ENOMEM. */
fut_err call_listen(call *self, futures_callback *callback, void *context);

#endif
