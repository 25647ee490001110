/* state.h - a worker's lua_State: made, used and closed on that worker */
#ifndef FUT_STATE_H
#define FUT_STATE_H

#include "job.h"
#include "thread_pool.h"

/* What every state of a pool starts with; a counted object. The paths are
   copied; calls and outcomes are encoded in that mode. NULL if memory ran out.
   The caller owns the reference. */
fut_object *state_environment_new(const char *path, const char *cpath,
                                  enum wire_mode mode);

/* What a thread pool whose tasks are jobs is made with. */
extern const fut_worker_ops state_ops;

/* Make the call of a task: its first value is the function. Set *state to
   FUT_FINISHED or FUT_FAILED and return the values, or what
   state_outcome_push() wants; the message is the state's own, to be emptied by
   the caller. NULL: memory ran out. Runs user code. Worker only. */
wire_message *state_run(fut_worker_local *local, fut_task *task,
                        const job_content *call, fut_state *state);

/* The task's future has ended: run the callbacks that are due in this state.
   Worker only. */
void state_settle(fut_worker_local *local);

/* Run a task of this worker's executor inside of the running one, on the
   thread L of its state, if it can still be started: whether it could. Raises
   memory errors, and then has not started it. Worker only. */
bool state_nest(lua_State *L, fut_worker_local *local, fut_task *task);

/* Return the task that runs, or NULL; how many it runs inside of. */
fut_task *state_task(const fut_worker_local *local);
unsigned state_depth(const fut_worker_local *local);

/* A context was made: if it is that of a worker's state, they are to know each
   other until state_leave(), which ignores all others. */
void state_adopt(lua_State *L, context *ctx);
void state_leave(context *ctx);

/* Return how many bytes the state holds. Worker only. */
size_t state_memory(fut_worker_local *local);

/* Push error and traceback (or nil) of a FAILED outcome that was decoded: the
   values from index first to the top of the stack, which stay. */
void state_outcome_push(lua_State *L, context *ctx, int first);

#endif
