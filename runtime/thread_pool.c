/* thread_pool.c - an executor whose workers are threads of this process

   A task's way: submit puts it into the queue and sees that somebody searches
   (idle.h). A searching worker takes it from the queue, or from the link of
   another (search.c), and runs it (worker.c). Whoever moves the future to
   RUNNING runs the task. Workers start on demand and end when there is nothing
   left to do (team.c).

   When nobody has a handle any more, the last worker to fall asleep shuts the
   pool down: there is no task then, and nobody to submit one. */
#include "team.h"

#include "check.h"
#include "memory.h"

#include <stdio.h>

static fut_err pool_submit(fut_executor *executor, fut_task *task) {
  fut_team *team = (fut_team *)executor;
  if (fut_queue_push(team->queue, task)) /* the task is no longer ours */
    return fut_team_wake(team);
  return fut_executor_refuse(
      task, fut_executor_broken(executor) ? FUT_EBROKENTHREADS : FUT_ESHUTDOWN);
}

static void pool_shutdown(fut_executor *executor, bool cancel_futures) {
  fut_team *team = (fut_team *)executor;
  fut_queue_close(team->queue);
  if (cancel_futures)
    fut_team_cancel(team);
  fut_idle_wake_all(&team->idle);
  fut_team_settle(team);
}

static void pool_abandon(fut_executor *executor) {
  fut_team_close_abandoned((fut_team *)executor);
}

static void pool_join(fut_executor *executor) {
  fut_team_join((fut_team *)executor);
}

static bool pool_inside(fut_executor *executor) {
  fut_team *team = (fut_team *)executor;
  bool inside = false;
  fut_mutex_lock(&team->mutex);
  unsigned count = atomic_load(&team->places);
  for (unsigned i = 0; i < count && !inside; i++) {
    const fut_worker *worker = atomic_load(&team->workers[i]);
    inside = worker->place == FUT_PLACE_ALIVE &&
             pthread_equal(worker->thread.handle, pthread_self());
  }
  fut_mutex_unlock(&team->mutex);
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
  fut_team *team = (fut_team *)executor;
  stats->idle = fut_idle_count(&team->idle);
  stats->pending = fut_queue_count(team->queue);
  stats->completed = atomic_load(&team->finished);
  stats->failed = atomic_load(&executor->failed);
  stats->cancelled = atomic_load(&team->stopped);
  /* those cancelled, or run inside of others, that are still in the queue do
     not wait any more; first
     how many have left it, so that the rest is never too small */
  uint64_t skipped = atomic_load(&team->dropped);
  fut_mutex_lock(&team->mutex);
  stats->workers = team->alive;
  unsigned count = atomic_load(&team->places);
  for (unsigned i = 0; i < count; i++)
    skipped += add_worker(stats, atomic_load(&team->workers[i]));
  fut_mutex_unlock(&team->mutex);
  uint64_t cancelled = atomic_load(&executor->cancelled);
  stats->cancelled += cancelled;
  uint64_t gone = cancelled + atomic_load(&team->nested);
  uint64_t left = gone > skipped ? gone - skipped : 0;
  stats->pending = stats->pending > left ? stats->pending - (size_t)left : 0;
}

static bool pool_memory(fut_executor *executor, unsigned number,
                        size_t *bytes) {
  fut_team *team = (fut_team *)executor;
  bool found = false;
  fut_mutex_lock(&team->mutex);
  unsigned count = atomic_load(&team->places);
  for (unsigned i = 0; i < count && !found; i++) {
    fut_worker *worker = atomic_load(&team->workers[i]);
    found = worker->place == FUT_PLACE_ALIVE && number-- == 0;
    if (found)
      *bytes = atomic_load(&worker->report.memory);
  }
  fut_mutex_unlock(&team->mutex);
  return found;
}

/* The last owner gives it up. */
static void pool_give_up(fut_object *object) {
  fut_team *team = (fut_team *)object;
  if (fut_executor_forked(&team->executor))
    return; /* its locks and threads are the parent's */
  pool_shutdown(&team->executor, false);
  fut_team_leave(team);
}

static const fut_executor_ops pool_ops = {
    .object = {"thread pool", pool_give_up},
    .submit = pool_submit,
    .shutdown = pool_shutdown,
    .join = pool_join,
    .abandon = pool_abandon,
    .stats = pool_stats,
    .memory = pool_memory,
    .stop = fut_team_stop,
    .halt = fut_team_halt,
    .inside = pool_inside,
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
  fut_team *team =
      fut_memory_new(sizeof *team + places(workers) * sizeof(fut_worker *));
  if (team == NULL)
    return FUT_ENOMEM;
  fut_err err =
      fut_executor_init(&team->executor, &pool_ops, options->max_pending);
  if (err != FUT_OK)
    goto free_team;
  err = FUT_ENOMEM;
  team->queue = fut_queue_new();
  if (team->queue == NULL)
    goto fini_executor;
  fut_idle_init(&team->idle, workers);
  fut_idle_add_spares(&team->idle, FUT_SPARE_WORKERS);
  fut_mutex_init(&team->mutex);
  team->max_workers = workers;
  team->max_tasks_per_child = options->max_tasks_per_child;
  team->idle_timeout = options->idle_timeout;
  snprintf(team->name, sizeof team->name, "%s", options->name);
  team->environment = options->environment;
  if (team->environment)
    fut_object_hold(team->environment);
  team->worker_ops = ops;
  team->alive = team->adrift = 0;
  atomic_init(&team->vacant, 0);
  atomic_init(&team->halted, false);
  atomic_init(&team->finished, 0);
  atomic_init(&team->stopped, 0);
  atomic_init(&team->dropped, 0);
  atomic_init(&team->nested, 0);
  atomic_init(&team->keepers, 1);
  atomic_init(&team->places, 0);
  for (size_t i = 0; i < places(workers); i++)
    atomic_init(&team->workers[i], NULL);
  *executor = &team->executor;
  return FUT_OK;

fini_executor:
  fut_executor_fini(&team->executor);
free_team:
  fut_memory_free(team);
  return err;
}
