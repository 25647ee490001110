/* thread_nest.c - what a worker of a thread pool does when its task waits

   It is replaced for the time: there are FUT_SPARE_WORKERS workers more than
   may run, and one of them may for each that is blocked. When that goes on,
   there may be one too many; whichever is the next without a task sleeps then
   (idle.h). Or it runs what the task waits for itself, inside of the task,
   where it lies in the queue until somebody takes it and finds it started. */
#include "threads.h"

static fut_err worker_block(fut_runner *runner) {
  fut_threads *threads = ((fut_worker *)runner)->threads;
  if (!fut_idle_block(&threads->idle))
    return FUT_EWAITING;
  fut_err err = fut_threads_more(threads) ? fut_threads_wake(threads) : FUT_OK;
  if (err != FUT_OK)
    fut_idle_unblock(&threads->idle);
  else
    fut_spin_count(-1);
  return err;
}

static void worker_unblock(fut_runner *runner) {
  fut_spin_count(1);
  fut_idle_unblock(&((fut_worker *)runner)->threads->idle);
}

static bool worker_run(fut_runner *runner, fut_task *task) {
  fut_worker *worker = (fut_worker *)runner;
  fut_threads *threads = worker->threads;
  fut_outer outer;
  if (worker->report.worn || worker->tasks >= threads->max_tasks_per_child ||
      fut_executor_broken(&threads->executor) ||
      !fut_worker_enter(worker, &outer, task))
    return false;
  bool started = fut_future_start(&task->future);
  if (started) {
    fut_task_left(task);
    atomic_fetch_add(&threads->nested, 1);
    fut_worker_perform(worker, task);
  }
  fut_worker_leave(worker, &outer);
  return started;
}

const fut_runner_kind fut_worker_runner = {worker_block, worker_unblock,
                                           worker_run};
