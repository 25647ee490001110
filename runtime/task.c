/* task.c - something to run once on a worker, and the future of its outcome */
#include "task.h"

#include "executor.h"

void fut_task_fini(fut_task *task) {
  if (task->executor)
    fut_object_release(&task->executor->object);
  task->executor = NULL;
}

void fut_task_run(fut_task *task, fut_worker_local *local) {
  fut_task_left(task);
  if (fut_future_start(&task->future))
    fut_future_end(&task->future, fut_task_kind_of(task)->run(task, local));
  fut_future_release(&task->future, NULL);
}

void fut_task_drop(fut_task *task, fut_err why, const char *message) {
  fut_task_left(task);
  if (fut_future_start(&task->future)) {
    if (task->executor && !task->many)
      atomic_fetch_add(&task->executor->failed, 1);
    fut_task_kind_of(task)->fail(task, why, message);
  }
  fut_future_release(&task->future, NULL);
}
