/* executors.c - pools of threads as C programs see them */
#include "caller.h"
#include "cpus.h"
#include "status.h"
#include "thread_pool.h"

static fut_executor *inner(futures_executor *executor) {
  return (fut_executor *)executor;
}

futures_status futures_thread_pool_new(const futures_pool_options *options,
                                       futures_executor **executor) {
  fut_thread_pool_options made = {.name = "futures"};
  if (options && options->max_workers > FUT_THREAD_POOL_LIMIT)
    return FUTURES_EINVAL;
  if (options)
    made.max_workers = options->max_workers;
  if (options && options->name)
    made.name = options->name;
  if (made.max_workers == 0) {
    unsigned cpus = fut_cpus_usable();
    made.max_workers =
        cpus < FUT_THREAD_POOL_LIMIT ? cpus : FUT_THREAD_POOL_LIMIT;
  }
  fut_executor *pool;
  fut_err err = fut_thread_pool_new(&made, &pool);
  if (err == FUT_OK)
    *executor = (futures_executor *)pool;
  return status_of(err);
}

void futures_executor_hold(futures_executor *executor) {
  fut_object_hold(&inner(executor)->object);
}

void futures_executor_release(futures_executor *executor) {
  if (executor)
    fut_object_release(&inner(executor)->object);
}

futures_status futures_submit(futures_executor *executor,
                              futures_function *function, void *argument,
                              futures_future **future) {
  caller *self = caller_get();
  if (self == NULL)
    return FUTURES_ENOMEM;
  /* one for the queue, one for the caller */
  call *task = call_new(self->arena, inner(executor), function, argument,
                        future ? 2 : 1);
  if (task == NULL)
    return FUTURES_ENOMEM;
  fut_err err = fut_executor_submit(inner(executor), &task->task);
  if (err == FUT_OK && future)
    *future = (futures_future *)task;
  else if (future)
    fut_future_release(&task->task.future, self->arena);
  return status_of(err);
}

void futures_shutdown(futures_executor *executor, bool cancel) {
  fut_executor_shutdown(inner(executor), cancel);
}

futures_status futures_join(futures_executor *executor,
                            futures_deadline deadline) {
  if (fut_executor_forked(inner(executor)))
    return FUTURES_EFORKED;
  if (call_executor_here() == inner(executor))
    return FUTURES_EDEADLOCK;
  caller *self = caller_get();
  if (self == NULL)
    return FUTURES_ENOMEM;
  fut_wait wait = {
      .waiter = self->waiter, .spin = &self->spin, .deadline = deadline};
  fut_err err =
      fut_wait_future(&wait, fut_executor_terminated(inner(executor)));
  if (err == FUT_OK)
    fut_executor_join(inner(executor));
  return status_of(err);
}
