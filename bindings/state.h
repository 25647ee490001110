/* state.h - a worker's lua_State: made, used and closed on that worker */
#ifndef FUT_STATE_H
#define FUT_STATE_H

#include "job.h"
#include "thread_pool.h"

/* What a thread pool whose tasks are jobs is made with; its environment is one
   of state_environment.h. */
extern const fut_worker_ops state_ops;

/* Make the call: its first value is the function; name, or NULL, is what the
   task is called in messages. Set *state to FUT_FINISHED or FUT_FAILED and
   return the values, or what failure_push() wants; the message is the state's
   own, to be emptied by the caller. NULL: memory ran out, or *state is
   FUT_CANCELLED: it was stopped. Runs user code. Worker only. */
wire_message *state_run(fut_worker_local *local, const job_content *call,
                        const char *name, fut_state *state);

/* The same for a function that lies apart from its arguments, if these are not
   NULL; both are messages of their own, so no table is part of both. */
wire_message *state_run_apart(fut_worker_local *local,
                              const job_content *function,
                              const job_content *arguments, const char *name,
                              fut_state *state);

/* Whether the state should not be used any more. Worker only. */
bool state_worn(const fut_worker_local *local);

#endif
