/* handle.h - who may still submit to an executor: it ends with the last one */
#ifndef FUT_HANDLE_H
#define FUT_HANDLE_H

#include "executor.h"

/* References keep the memory of an executor, handles keep it open: when the
   last handle goes, it finishes the tasks that it has and those that they
   submit, and is shut down then. An executor of which nobody ever took a
   handle is closed by hand alone. */

/* Take one more handle, also after the last one has gone, and return it to be
   ended by fut_object_release(). Requires a reference or a handle. The first
   is taken before others know the executor. Any thread. Never blocks. */
fut_object *fut_handle_hold(fut_executor *executor);

/* Return the executor whose handle object is, or NULL if it is none. */
fut_executor *fut_handle_executor(fut_object *object);

/* For kinds: whether there were handles and are none. Any thread. */
bool fut_handle_none(const fut_executor *executor);

/* For fut_executor_init(). */
void fut_handle_init(fut_executor *executor);

#endif
