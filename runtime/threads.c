/* threads.c - the workers' lives: when they start, who ends them, where they
   are

   A worker has a place, which another may take when it has ended for want of
   tasks, or after its task was given up. Who keeps the pool: its owners, by
   references, and each worker's thread until it ends. `mutex` guards the
   workers' lives; no other lock is taken under it. The last worker to end
   after shutdown ends the future `terminated`; workers adrift do not count,
   nobody can say when they end. */
#include "threads.h"

#include "handle.h"
#include "memory.h"

#include <stdio.h>
#include <string.h>

/* Whether no worker runs, nor will. Assumes mutex held. */
static bool over(fut_threads *threads) {
  return threads->alive == 0 && fut_queue_closed(threads->queue) &&
         fut_queue_count(threads->queue) == 0;
}

void fut_threads_settle(fut_threads *threads) {
  fut_mutex_lock(&threads->mutex);
  bool time = over(threads);
  fut_mutex_unlock(&threads->mutex);
  if (time)
    fut_future_end(threads->executor.terminated, FUT_FINISHED);
}

/* --- places ----------------------------------------------------------------
 */

static fut_worker *worker_new(fut_threads *threads) {
  fut_worker *worker = fut_memory_new(sizeof *worker);
  if (worker == NULL)
    return NULL;
  worker->base.kind = &fut_worker_runner;
  worker->base.executor = &threads->executor;
  fut_link_init(&worker->link);
  worker->sleeper.listed = false;
  worker->sleeper.next = NULL;
  worker->sleeper.parker = fut_parker_new();
  if (worker->sleeper.parker == NULL) {
    fut_memory_free(worker);
    return NULL;
  }
  worker->local = NULL;
  atomic_init(&worker->report.memory, 0);
  atomic_init(&worker->report.asked, false);
  atomic_init(&worker->report.acknowledged, false);
  atomic_init(&worker->tally.completed, 0);
  atomic_init(&worker->tally.failed, 0);
  atomic_init(&worker->tally.stopped, 0);
  atomic_init(&worker->tally.skipped, 0);
  atomic_init(&worker->tally.queue_time, 0);
  atomic_init(&worker->tally.run_time, 0);
  atomic_init(&worker->tally.busy, 0);
  atomic_init(&worker->running, NULL);
  atomic_init(&worker->seen, UINT32_MAX);
  fut_timer_init(&worker->timer, fut_worker_due);
  worker->threads = threads;
  worker->place = FUT_PLACE_VACANT;
  worker->joinable = false;
  return worker;
}

static void worker_free(fut_worker *worker) {
  fut_parker_free(worker->sleeper.parker);
  fut_memory_free(worker);
}

/* Make a worker of a place: its first thread, or the next. */
static void begin(fut_worker *worker) {
  fut_spin_init(&worker->spin);
  worker->searching = true; /* counted by fut_idle_wake() */
  worker->leaving = false;
  worker->since = worker->patrolled = worker->coarse = 0;
  worker->ran = 0;
  worker->tasks = 0;
  worker->report.worn = worker->report.untidy = false;
  worker->stop = FUT_STOP_NOT;
  worker->asked = worker->acknowledged = 0;
  worker->pause = 0;
  worker->given_up = worker->adrift = false;
  worker->outer = NULL;
  memset(worker->task_name, 0, sizeof worker->task_name);
}

/* Return a place for a worker, the spare one if none is vacant. Assumes mutex
   held. */
static fut_worker *find_place(fut_threads *threads, fut_worker *spare) {
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; atomic_load(&threads->vacant) > 0 && i < count; i++) {
    fut_worker *worker = atomic_load(&threads->workers[i]);
    if (worker->place == FUT_PLACE_VACANT)
      return worker;
  }
  if (spare)
    spare->base.number = count + 1;
  return spare;
}

/* Start a thread for the worker. Assumes mutex held. */
static fut_err start_thread(fut_threads *threads, fut_worker *worker,
                            bool spare) {
  fut_thread last;
  if (worker->joinable) /* it has left its place, and has hardly anything else
                           to do */
    last = worker->thread;
  begin(worker);
  atomic_fetch_add(&threads->keepers, 1);
  fut_err err = fut_thread_start(&worker->thread, fut_worker_main, worker);
  if (err != FUT_OK) {
    atomic_fetch_sub(&threads->keepers, 1);
    if (worker->joinable)
      worker->thread = last;
    return err;
  }
  if (worker->joinable)
    fut_thread_detach(last);
  worker->joinable = true;
  worker->place = FUT_PLACE_ALIVE;
  threads->alive++;
  if (!spare)
    atomic_fetch_sub(&threads->vacant, 1);
  else {
    atomic_store(&threads->workers[worker->base.number - 1], worker);
    atomic_store(&threads->places, worker->base.number);
  }
  return FUT_OK;
}

/* --- starting ---------------------------------------------------------------
 */

/* Start the worker that fut_idle_wake() has counted as searching. If that
   fails, the others do the work; where there are none but blocked ones,
   nothing is left waiting: nobody else starts one meanwhile, as this one
   counts. */
static fut_err start(fut_threads *threads) {
  fut_worker *spare =
      atomic_load(&threads->vacant) == 0 ? worker_new(threads) : NULL;
  fut_err err = FUT_ENOMEM;
  fut_mutex_lock(&threads->mutex);
  bool late = over(threads); /* others have done it all, and ended */
  fut_worker *worker = late ? NULL : find_place(threads, spare);
  if (worker)
    err = start_thread(threads, worker, worker == spare);
  bool alone = threads->alive <= fut_idle_blocked(&threads->idle);
  fut_mutex_unlock(&threads->mutex);
  if (spare && (err != FUT_OK || worker != spare))
    worker_free(spare);
  if (err == FUT_OK)
    return FUT_OK;
  if (late || !alone)
    err = FUT_OK;
  else
    fut_threads_cancel(threads);
  fut_idle_not_started(&threads->idle, alone);
  return err;
}

fut_err fut_threads_wake(fut_threads *threads) {
  fut_err err = FUT_OK;
  while (fut_idle_wake(&threads->idle) == FUT_WAKE_START) {
    fut_err failed = start(threads);
    if (failed == FUT_OK)
      break;
    err = failed;
    fut_threads_settle(threads);
    if (!fut_threads_more(threads)) /* others may have relied on it since */
      break;
  }
  return err;
}

/* --- ending -----------------------------------------------------------------
 */

/* Return any task that waits, or NULL. */
static fut_task *take(fut_threads *threads) {
  fut_link spare;
  fut_link_init(&spare);
  fut_task *task = fut_queue_pull(threads->queue, &spare, UINT32_MAX);
  if (task == NULL)
    task = fut_threads_steal(threads, NULL);
  return task ? task : fut_queue_pull_low(threads->queue);
}

void fut_threads_cancel(fut_threads *threads) {
  fut_task *task;
  while ((task = take(threads)) != NULL) {
    bool many = task->many;
    fut_task_cancel(task);
    fut_executor_refuse(task, FUT_OK);
    atomic_fetch_add(&threads->dropped, !many);
  }
}

void fut_threads_fail(fut_threads *threads, fut_task *task) {
  if (fut_future_state(&task->future) != FUT_PENDING)
    atomic_fetch_add(&threads->dropped, 1);
  fut_task_drop(task, FUT_EBROKENTHREADS,
                fut_executor_broken(&threads->executor));
}

void fut_threads_break(fut_threads *threads, const char *message) {
  if (!fut_executor_break(&threads->executor, message))
    return;
  fut_queue_close(threads->queue);
  fut_task *task;
  while ((task = take(threads)) != NULL)
    fut_threads_fail(threads, task);
  fut_idle_wake_all(&threads->idle);
  fut_threads_settle(threads);
}

void fut_threads_cast_off(fut_worker *worker) {
  fut_threads *threads = worker->threads;
  fut_spin_count(-1);
  fut_mutex_lock(&threads->mutex);
  worker->place = FUT_PLACE_ADRIFT;
  threads->alive--;
  unsigned adrift = ++threads->adrift;
  fut_thread_detach(worker->thread);
  worker->joinable = false;
  fut_mutex_unlock(&threads->mutex);
  fut_idle_grow(&threads->idle);
  if (adrift > threads->max_workers) {
    char message[120];
    snprintf(message, sizeof message,
             "%u tasks are stuck where nothing can stop them, more than the "
             "pool has workers",
             adrift);
    fut_threads_break(threads, message);
  } else if (fut_threads_more(threads))
    fut_threads_wake(threads);
  fut_threads_close_abandoned(threads);
  fut_threads_settle(threads);
}

void fut_threads_close_abandoned(fut_threads *threads) {
  if (fut_handle_none(&threads->executor) &&
      !fut_queue_closed(threads->queue) &&
      fut_idle_all_asleep(&threads->idle) && !fut_threads_more(threads))
    fut_executor_shutdown(&threads->executor, false);
}

void fut_threads_join(fut_threads *threads) {
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count; i++) {
    fut_worker *worker = atomic_load(&threads->workers[i]);
    fut_mutex_lock(&threads->mutex);
    bool joinable = worker->joinable;
    worker->joinable = false;
    fut_mutex_unlock(&threads->mutex);
    if (!joinable)
      continue;
    if (pthread_equal(worker->thread.handle, pthread_self()))
      fut_thread_detach(worker->thread);
    else
      fut_thread_join(worker->thread);
  }
}

static void threads_free(fut_threads *threads) {
  fut_threads_join(threads);
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count; i++)
    worker_free(atomic_load(&threads->workers[i]));
  fut_queue_free(threads->queue);
  fut_idle_fini(&threads->idle);
  fut_mutex_fini(&threads->mutex);
  fut_executor_fini(&threads->executor);
  if (threads->environment)
    fut_object_release(threads->environment);
  fut_memory_free(threads);
}

void fut_threads_leave(fut_threads *threads) {
  if (atomic_fetch_sub(&threads->keepers, 1) == 1)
    threads_free(threads);
}
