/* state.h - a worker's lua_State: made, used and closed on that worker */
#ifndef FUT_STATE_H
#define FUT_STATE_H

#include "job.h"
#include "thread_pool.h"

/* What a thread pool whose tasks are jobs is made with; its environment is one
   of state_environment.h. */
extern const fut_worker_ops state_ops;

/* Make the call of a task, or NULL for none that is known: its first value is
   the function; name, or NULL, is what the task is called in messages. Set
   *state to FUT_FINISHED or FUT_FAILED and return the values, or what
   failure_push() wants; the message is the state's own, to be emptied by the
   caller. NULL: memory ran out, or *state is FUT_CANCELLED: it was stopped.
   Runs user code. Worker only. */
wire_message *state_run(fut_worker_local *local, fut_task *task,
                        const job_content *call, const char *name,
                        fut_state *state);

/* Run a task of this worker's executor inside of the running one, on the
   thread L of its state: whether that was done, see fut_runner_run(). Raises
   memory errors, and then has not started it. Worker only. */
bool state_nest(lua_State *L, fut_worker_local *local, fut_task *task);

/* Return the task that runs, or NULL; how many it runs inside of. */
fut_task *state_task(const fut_worker_local *local);
unsigned state_depth(const fut_worker_local *local);

/* Return the number of the call that is being made, which no other call of
   this state has; 0: none is. Worker only. */
uint64_t state_call_number(const fut_worker_local *local);

/* Whether the running task was asked to stop. Worker only. */
bool state_stop_asked(const fut_worker_local *local);

/* Whether the running task was asked to stop, and that is still to be raised:
   by state_stop(). Worker only. */
bool state_stop_due(const fut_worker_local *local);
_Noreturn void state_stop(lua_State *L);

/* Whether the running task is being ended by a stop: what runs are closers. */
bool state_stopping(const fut_worker_local *local);

/* A context was made: if it is that of a worker's state, they are to know each
   other until state_leave(), which ignores all others. */
void state_adopt(lua_State *L, context *ctx);
void state_leave(context *ctx);

/* The same for a function that lies apart from its arguments, if these are not
   NULL; both are messages of their own, so no table is part of both. */
wire_message *state_run_apart(fut_worker_local *local, fut_task *task,
                              const job_content *function,
                              const job_content *arguments, const char *name,
                              fut_state *state);

/* Whether the state should not be used any more. Worker only. */
bool state_worn(const fut_worker_local *local);

#endif
