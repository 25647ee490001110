/* executor.c - what every pool offers: submit, shut down, say how it stands */
#include "executor.h"

#include "check.h"
#include "thread.h"

static void nothing(fut_future *future) { (void)future; }

static const fut_future_kind terminated_kind = {
    {"termination", fut_future_free}, nothing};

static const fut_executor_ops *ops(const fut_executor *executor) {
  return (const fut_executor_ops *)(const void *)executor->object.kind;
}

fut_err fut_executor_init(fut_executor *executor,
                          const fut_executor_ops *kind) {
  fut_object_init(&executor->object, &kind->object);
  executor->generation = fut_thread_generation();
  executor->arena = fut_arena_new(sizeof(fut_future));
  if (executor->arena == NULL)
    return FUT_ENOMEM;
  executor->terminated = fut_arena_take(executor->arena);
  if (executor->terminated == NULL) {
    fut_arena_close(executor->arena);
    return FUT_ENOMEM;
  }
  fut_future_init(executor->terminated, &terminated_kind, executor->arena);
  return FUT_OK;
}

void fut_executor_fini(fut_executor *executor) {
  fut_future_release(executor->terminated, executor->arena);
  fut_arena_close(executor->arena);
}

bool fut_executor_forked(const fut_executor *executor) {
  return executor->generation != fut_thread_generation();
}

fut_err fut_executor_submit(fut_executor *executor, fut_task *task) {
  if (fut_executor_forked(executor)) {
    fut_future_cancel(&task->future);
    fut_future_release(&task->future, NULL);
    return FUT_EFORKED;
  }
  return ops(executor)->submit(executor, task);
}

void fut_executor_shutdown(fut_executor *executor, bool cancel_futures) {
  if (!fut_executor_forked(executor))
    ops(executor)->shutdown(executor, cancel_futures);
}

fut_future *fut_executor_terminated(fut_executor *executor) {
  return executor->terminated;
}

void fut_executor_join(fut_executor *executor) {
  CHECK(fut_state_done(fut_future_state(executor->terminated)));
  ops(executor)->join(executor);
}

void fut_executor_stats_get(fut_executor *executor, fut_executor_stats *stats) {
  ops(executor)->stats(executor, stats);
}
