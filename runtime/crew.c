/* crew.c - the workers' lives: when they start, who ends them, where they are

   A worker has a place, which another may take when it has ended for want of
   tasks, or after its task was given up. Who keeps the pool: its owners, by
   references, and each worker's thread until it ends. `mutex` guards the
   workers' lives; no other lock is taken under it. The last worker to end
   after shutdown ends the future `terminated`; workers adrift do not count,
   nobody can say when they end. */
#include "crew.h"

#include "memory.h"

#include <stdio.h>

/* Whether no worker runs, nor will. Assumes mutex held. */
static bool over(fut_crew *crew) {
  return crew->alive == 0 && fut_queue_closed(crew->queue) &&
         fut_queue_count(crew->queue) == 0;
}

void fut_crew_settle(fut_crew *crew) {
  fut_mutex_lock(&crew->mutex);
  bool time = over(crew);
  fut_mutex_unlock(&crew->mutex);
  if (time)
    fut_future_end(crew->executor.terminated, FUT_FINISHED);
}

/* --- places ----------------------------------------------------------------
 */

static fut_worker *worker_new(fut_crew *crew) {
  fut_worker *worker = fut_memory_new(sizeof *worker);
  if (worker == NULL)
    return NULL;
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
  atomic_init(&worker->tally.busy, false);
  atomic_init(&worker->running, NULL);
  atomic_init(&worker->seen, UINT32_MAX);
  fut_timer_init(&worker->timer, fut_worker_due);
  worker->crew = crew;
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
  worker->report.worn = false;
  worker->stop = FUT_STOP_NOT;
  worker->given_up = false;
}

/* Return a place for a worker, the spare one if none is vacant. Assumes mutex
   held. */
static fut_worker *find_place(fut_crew *crew, fut_worker *spare) {
  unsigned count = atomic_load(&crew->places);
  for (unsigned i = 0; atomic_load(&crew->vacant) > 0 && i < count; i++) {
    fut_worker *worker = atomic_load(&crew->workers[i]);
    if (worker->place == FUT_PLACE_VACANT)
      return worker;
  }
  if (spare)
    spare->number = count + 1;
  return spare;
}

/* Start a thread for the worker. Assumes mutex held. */
static fut_err start_thread(fut_crew *crew, fut_worker *worker, bool spare) {
  begin(worker);
  atomic_fetch_add(&crew->keepers, 1);
  fut_err err = fut_thread_start(&worker->thread, fut_worker_main, worker);
  if (err != FUT_OK) {
    atomic_fetch_sub(&crew->keepers, 1);
    return err;
  }
  worker->joinable = true;
  worker->place = FUT_PLACE_ALIVE;
  crew->alive++;
  if (!spare)
    atomic_fetch_sub(&crew->vacant, 1);
  else {
    atomic_store(&crew->workers[worker->number - 1], worker);
    atomic_store(&crew->places, worker->number);
  }
  return FUT_OK;
}

/* --- starting ---------------------------------------------------------------
 */

/* Start the worker that fut_idle_wake() has counted as searching. If that
   fails, the others do the work; where there are none, nothing is left
   waiting: nobody else starts one meanwhile, as this one counts. */
static fut_err start(fut_crew *crew) {
  fut_worker *spare = atomic_load(&crew->vacant) == 0 ? worker_new(crew) : NULL;
  fut_err err = FUT_ENOMEM;
  fut_mutex_lock(&crew->mutex);
  bool late = over(crew); /* others have done it all, and ended */
  fut_worker *worker = late ? NULL : find_place(crew, spare);
  if (worker)
    err = start_thread(crew, worker, worker == spare);
  bool alone = crew->alive == 0;
  fut_mutex_unlock(&crew->mutex);
  if (spare && (err != FUT_OK || worker != spare))
    worker_free(spare);
  if (err == FUT_OK)
    return FUT_OK;
  if (late || !alone)
    err = FUT_OK;
  else
    fut_crew_cancel(crew);
  fut_idle_not_started(&crew->idle, alone);
  return err;
}

fut_err fut_crew_wake(fut_crew *crew) {
  fut_err err = FUT_OK;
  while (fut_idle_wake(&crew->idle) == FUT_WAKE_START) {
    fut_err failed = start(crew);
    if (failed == FUT_OK)
      break;
    err = failed;
    fut_crew_settle(crew);
    if (!fut_crew_more(crew)) /* others may have relied on it since */
      break;
  }
  return err;
}

/* --- ending -----------------------------------------------------------------
 */

/* Return any task that waits, or NULL. */
static fut_task *take(fut_crew *crew) {
  fut_link spare;
  fut_link_init(&spare);
  fut_task *task = fut_queue_pull(crew->queue, &spare, UINT32_MAX);
  if (task == NULL)
    task = fut_crew_steal(crew, NULL);
  return task ? task : fut_queue_pull_low(crew->queue);
}

void fut_crew_cancel(fut_crew *crew) {
  fut_task *task;
  while ((task = take(crew)) != NULL) {
    fut_task_cancel(task);
    fut_executor_refuse(task, FUT_OK);
    atomic_fetch_add(&crew->dropped, 1);
  }
}

void fut_crew_fail(fut_crew *crew, fut_task *task) {
  if (fut_future_state(&task->future) == FUT_CANCELLED)
    atomic_fetch_add(&crew->dropped, 1);
  fut_task_drop(task, FUT_EBROKENTHREADS, fut_executor_broken(&crew->executor));
}

void fut_crew_break(fut_crew *crew, const char *message) {
  if (!fut_executor_break(&crew->executor, message))
    return;
  fut_queue_close(crew->queue);
  fut_task *task;
  while ((task = take(crew)) != NULL)
    fut_crew_fail(crew, task);
  fut_idle_wake_all(&crew->idle);
  fut_crew_settle(crew);
}

void fut_crew_cast_off(fut_worker *worker) {
  fut_crew *crew = worker->crew;
  fut_spin_count(-1);
  fut_mutex_lock(&crew->mutex);
  worker->place = FUT_PLACE_ADRIFT;
  crew->alive--;
  unsigned adrift = ++crew->adrift;
  fut_thread_detach(worker->thread);
  worker->joinable = false;
  fut_mutex_unlock(&crew->mutex);
  fut_idle_grow(&crew->idle);
  if (adrift > crew->max_workers) {
    char message[120];
    snprintf(message, sizeof message,
             "%u tasks are stuck where nothing can stop them, more than the "
             "pool has workers",
             adrift);
    fut_crew_break(crew, message);
  } else if (fut_crew_more(crew))
    fut_crew_wake(crew);
  fut_crew_settle(crew);
}

void fut_crew_join(fut_crew *crew) {
  unsigned count = atomic_load(&crew->places);
  for (unsigned i = 0; i < count; i++) {
    fut_worker *worker = atomic_load(&crew->workers[i]);
    fut_mutex_lock(&crew->mutex);
    bool joinable = worker->joinable;
    worker->joinable = false;
    fut_mutex_unlock(&crew->mutex);
    if (!joinable)
      continue;
    if (pthread_equal(worker->thread.handle, pthread_self()))
      fut_thread_detach(worker->thread);
    else
      fut_thread_join(worker->thread);
  }
}

static void crew_free(fut_crew *crew) {
  fut_crew_join(crew);
  unsigned count = atomic_load(&crew->places);
  for (unsigned i = 0; i < count; i++)
    worker_free(atomic_load(&crew->workers[i]));
  fut_queue_free(crew->queue);
  fut_idle_fini(&crew->idle);
  fut_mutex_fini(&crew->mutex);
  fut_executor_fini(&crew->executor);
  if (crew->environment)
    fut_object_release(crew->environment);
  fut_memory_free(crew);
}

void fut_crew_leave(fut_crew *crew) {
  if (atomic_fetch_sub(&crew->keepers, 1) == 1)
    crew_free(crew);
}
