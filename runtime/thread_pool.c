/* thread_pool.c - an executor whose workers are threads of this process

   A task's way: submit puts it into the queue and sees that somebody searches
   (idle.h). A searching worker takes it from the queue, or from the link of
   another (thread_search.c), and runs it (thread_worker.c). Whoever moves the
   future to RUNNING runs the task. Workers start on demand and end when there
   is nothing left to do (threads.c).

   When nobody has a handle any more, the last worker to fall asleep shuts the
   pool down: there is no task then, and nobody to submit one. */
#include "threads.h"

#include "check.h"
#include "memory.h"

#include <stdio.h>

static fut_err pool_submit(fut_executor *executor, fut_task *task) {
  fut_threads *threads = (fut_threads *)executor;
  if (fut_queue_push(threads->queue, task)) /* the task is no longer ours */
    return fut_threads_wake(threads);
  return fut_executor_refuse(
      task, fut_executor_broken(executor) ? FUT_EBROKENTHREADS : FUT_ESHUTDOWN);
}

static void pool_again(fut_executor *executor, fut_task *task) {
  fut_threads *threads = (fut_threads *)executor;
  fut_queue_push_front(threads->queue, task);
  if (atomic_load(&threads->given_up)) /* since its kind looked */
    fut_threads_cancel(threads);
  else
    fut_threads_wake(threads);
}

static unsigned pool_demands(fut_executor *executor, double priority) {
  fut_threads *threads = (fut_threads *)executor;
  /* relaxed: what comes a moment later is seen the next time */
  if (atomic_load_explicit(&threads->given_up, memory_order_relaxed))
    return FUT_GIVE_UP;
  bool urgent = priority == 0 ? fut_queue_urgent(threads->queue)
                              : fut_queue_count(threads->queue) > 0;
  return urgent ? FUT_GIVE_WAY : 0;
}

static void pool_shutdown(fut_executor *executor, bool cancel_futures) {
  fut_threads *threads = (fut_threads *)executor;
  fut_queue_close(threads->queue);
  if (cancel_futures) {
    atomic_store(&threads->given_up, true);
    fut_threads_cancel(threads);
  }
  fut_idle_wake_all(&threads->idle);
  fut_threads_settle(threads);
}

static void pool_abandon(fut_executor *executor) {
  fut_threads_close_abandoned((fut_threads *)executor);
}

static void pool_join(fut_executor *executor) {
  fut_threads_join((fut_threads *)executor);
}

static bool pool_inside(fut_executor *executor) {
  fut_threads *threads = (fut_threads *)executor;
  bool inside = false;
  fut_mutex_lock(&threads->mutex);
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count && !inside; i++) {
    const fut_worker *worker = atomic_load(&threads->workers[i]);
    inside = worker->place == FUT_PLACE_ALIVE &&
             pthread_equal(worker->thread.handle, pthread_self());
  }
  fut_mutex_unlock(&threads->mutex);
  return inside;
}

/* Add what one worker has done and does. Return how many tasks it has found
   cancelled. Assumes mutex held. */
static uint64_t add_worker(fut_executor_stats *stats, fut_worker *worker) {
  fut_tally *tally = &worker->tally;
  stats->pending += fut_link_count(&worker->link);
  if (worker->place == FUT_PLACE_ALIVE)
    stats->running += atomic_load(&tally->busy);
  stats->completed += atomic_load(&tally->completed);
  stats->failed += atomic_load(&tally->failed);
  stats->cancelled += atomic_load(&tally->stopped);
  stats->queue_time += atomic_load(&tally->queue_time);
  stats->run_time += atomic_load(&tally->run_time);
  return atomic_load(&tally->skipped);
}

static void pool_stats(fut_executor *executor, fut_executor_stats *stats) {
  fut_threads *threads = (fut_threads *)executor;
  stats->idle = fut_idle_count(&threads->idle);
  stats->pending = fut_queue_count(threads->queue);
  stats->completed = atomic_load(&threads->finished);
  stats->failed = atomic_load(&executor->failed);
  stats->cancelled = atomic_load(&threads->stopped);
  /* those cancelled, or run inside of others, that are still in the queue do
     not wait any more; first how many have left it, so that the rest is never
     too small */
  uint64_t skipped = atomic_load(&threads->dropped);
  fut_mutex_lock(&threads->mutex);
  stats->workers = threads->alive;
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count; i++)
    skipped += add_worker(stats, atomic_load(&threads->workers[i]));
  fut_mutex_unlock(&threads->mutex);
  uint64_t cancelled = atomic_load(&executor->cancelled);
  stats->cancelled += cancelled;
  uint64_t gone = cancelled + atomic_load(&threads->nested);
  uint64_t left = gone > skipped ? gone - skipped : 0;
  stats->pending = stats->pending > left ? stats->pending - (size_t)left : 0;
}

static bool pool_memory(fut_executor *executor, unsigned number,
                        size_t *bytes) {
  fut_threads *threads = (fut_threads *)executor;
  bool found = false;
  fut_mutex_lock(&threads->mutex);
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count && !found; i++) {
    fut_worker *worker = atomic_load(&threads->workers[i]);
    found = worker->place == FUT_PLACE_ALIVE && number-- == 0;
    if (found)
      *bytes = atomic_load(&worker->report.memory);
  }
  fut_mutex_unlock(&threads->mutex);
  return found;
}

static bool pool_name(fut_executor *executor, unsigned number, char *name,
                      size_t size) {
  fut_threads *threads = (fut_threads *)executor;
  bool found = false;
  fut_mutex_lock(&threads->mutex);
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count && !found; i++) {
    fut_worker *worker = atomic_load(&threads->workers[i]);
    found = worker->place == FUT_PLACE_ALIVE && worker->task_name[0] != '\0' &&
            number-- == 0;
    if (found)
      snprintf(name, size, "%s", worker->task_name);
  }
  fut_mutex_unlock(&threads->mutex);
  return found;
}

/* The last owner gives it up. */
static void pool_give_up(fut_object *object) {
  fut_threads *threads = (fut_threads *)object;
  if (fut_executor_forked(&threads->executor))
    return; /* its locks and threads are the parent's */
  pool_shutdown(&threads->executor, false);
  fut_threads_leave(threads);
}

static const fut_executor_ops pool_ops = {
    .object = {"thread pool", pool_give_up},
    .submit = pool_submit,
    .shutdown = pool_shutdown,
    .join = pool_join,
    .abandon = pool_abandon,
    .stats = pool_stats,
    .memory = pool_memory,
    .name = pool_name,
    .stop = fut_threads_stop,
    .halt = fut_threads_halt,
    .inside = pool_inside,
    .again = pool_again,
    .demands = pool_demands,
    .broken = FUT_EBROKENTHREADS};

/* How many places there may be: each worker, each that takes the place of a
   blocked one, and each that is adrift. */
static size_t places(unsigned workers) {
  return 2 * (size_t)workers + FUT_SPARE_WORKERS + 1;
}

fut_err fut_thread_pool_new(const fut_pool_options *options,
                            const fut_worker_ops *ops,
                            fut_executor **executor) {
  unsigned workers = options->max_workers;
  CHECK(workers >= 1 && workers <= FUT_WORKERS_LIMIT);
  fut_threads *threads =
      fut_memory_new(sizeof *threads + places(workers) * sizeof(fut_worker *));
  if (threads == NULL)
    return FUT_ENOMEM;
  fut_err err =
      fut_executor_init(&threads->executor, &pool_ops, options->max_pending);
  if (err != FUT_OK)
    goto free_threads;
  err = FUT_ENOMEM;
  threads->queue = fut_queue_new();
  if (threads->queue == NULL)
    goto fini_executor;
  fut_idle_init(&threads->idle, workers);
  fut_idle_add_spares(&threads->idle, FUT_SPARE_WORKERS);
  fut_mutex_init(&threads->mutex);
  threads->max_workers = threads->executor.max_workers = workers;
  threads->executor.shares = options->max_tasks_per_child == FUT_UNLIMITED &&
                             options->max_pending == FUT_UNLIMITED;
  threads->max_tasks_per_child = options->max_tasks_per_child;
  threads->idle_timeout = options->idle_timeout;
  snprintf(threads->name, sizeof threads->name, "%s", options->name);
  threads->environment = options->environment;
  if (threads->environment)
    fut_object_hold(threads->environment);
  threads->worker_ops = ops;
  threads->alive = threads->adrift = 0;
  atomic_init(&threads->vacant, 0);
  atomic_init(&threads->halted, false);
  atomic_init(&threads->given_up, false);
  atomic_init(&threads->finished, 0);
  atomic_init(&threads->stopped, 0);
  atomic_init(&threads->dropped, 0);
  atomic_init(&threads->nested, 0);
  atomic_init(&threads->keepers, 1);
  atomic_init(&threads->places, 0);
  for (size_t i = 0; i < places(workers); i++)
    atomic_init(&threads->workers[i], NULL);
  *executor = &threads->executor;
  return FUT_OK;

fini_executor:
  fut_executor_fini(&threads->executor);
free_threads:
  fut_memory_free(threads);
  return err;
}
