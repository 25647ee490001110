/* executors.c - pools of threads as C programs see them */
#include "caller.h"
#include "cpus.h"
#include "memory.h"
#include "status.h"
#include "thread_pool.h"

/* The inner executor is counted by its tasks as well, so the references of the
   program are counted apart. */
struct futures_executor {
  fut_object object;
  fut_executor *inner; /* set once; a reference */
};

static void executor_free(fut_object *object) {
  futures_executor *executor = (futures_executor *)object;
  fut_executor_shutdown(executor->inner, false);
  fut_object_release(&executor->inner->object);
  fut_memory_free(executor);
}

static const fut_object_kind executor_kind = {"C executor", executor_free};

futures_status futures_thread_pool_new(const futures_pool_options *options,
                                       futures_executor **executor) {
  unsigned workers = options ? options->max_workers : 0;
  const char *name = options && options->name ? options->name : "futures";
  if (workers > FUT_WORKERS_LIMIT)
    return FUTURES_EINVAL;
  if (workers == 0)
    workers = fut_cpus_usable();
  if (workers > FUT_WORKERS_LIMIT)
    workers = FUT_WORKERS_LIMIT;
  futures_executor *made = fut_memory_new(sizeof *made);
  if (made == NULL)
    return FUTURES_ENOMEM;
  fut_object_init(&made->object, &executor_kind);
  fut_pool_options pool = fut_pool_options_of(workers, name);
  fut_err err = fut_thread_pool_new(&pool, NULL, &made->inner);
  if (err == FUT_OK)
    *executor = made;
  else
    fut_memory_free(made);
  return status_of(err);
}

void futures_executor_hold(futures_executor *executor) {
  fut_object_hold(&executor->object);
}

void futures_executor_release(futures_executor *executor) {
  if (executor)
    fut_object_release(&executor->object);
}

futures_status futures_submit(futures_executor *executor,
                              futures_function *function, void *argument,
                              futures_future **future) {
  caller *self = caller_get();
  if (self == NULL)
    return FUTURES_ENOMEM;
  /* one for the queue, one for the caller */
  call *task = call_new(self->arena, function, argument, future ? 2 : 1);
  if (task == NULL)
    return FUTURES_ENOMEM;
  fut_err err = fut_executor_submit(executor->inner, &task->task);
  if (err == FUT_OK && future)
    *future = (futures_future *)task;
  else if (future)
    fut_future_release(&task->task.future, self->arena);
  return status_of(err);
}

void futures_shutdown(futures_executor *executor, bool cancel) {
  fut_executor_shutdown(executor->inner, cancel);
}

futures_status futures_join(futures_executor *executor,
                            futures_deadline deadline) {
  if (fut_executor_forked(executor->inner))
    return FUTURES_EFORKED;
  if (call_executor_here() == executor->inner)
    return FUTURES_EDEADLOCK;
  caller *self = caller_get();
  if (self == NULL)
    return FUTURES_ENOMEM;
  fut_wait wait = {
      .waiter = self->waiter, .spin = &self->spin, .deadline = deadline};
  fut_err err =
      fut_wait_future(&wait, fut_executor_terminated(executor->inner));
  if (err == FUT_OK)
    fut_executor_join(executor->inner);
  return status_of(err);
}
