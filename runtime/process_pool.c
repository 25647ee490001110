/* process_pool.c - an executor whose workers are child processes */
#include "process_pool.h"

#include "check.h"
#include "cpus.h"
#include "memory.h"
#include "process_parent.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static fut_err pool_submit(fut_executor *executor, fut_task *task) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  bool plain = task->priority == 0 && !task->many;
  if (!fut_queue_push(pool->queue, task)) {
    bool broken = fut_executor_broken(executor) != NULL;
    return fut_executor_refuse(task,
                               broken ? FUT_EBROKENPROCESSES : FUT_ESHUTDOWN);
  }
  if (!plain || !fut_process_patient(pool))
    fut_process_step(pool, FUT_STEP_SUBMITTING);
  return FUT_OK;
}

static void pool_shutdown(fut_executor *executor, bool cancel_futures) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_queue_close(pool->queue);
  if (cancel_futures) {
    fut_process_lock(pool);
    pool->given_up = true;
    fut_task *task;
    while ((task = fut_process_take_any(pool)) != NULL) {
      pool->slots.cancelled +=
          !task->many && fut_future_state(&task->future) == FUT_PENDING;
      fut_executor_refuse(task, FUT_OK);
    }
    fut_process_recall(pool, false);
    fut_process_unlock(pool);
  }
  fut_process_step(pool, FUT_STEP_OTHER);
}

/* Assumes mutex held, as whatever is lent or settled does. */
static void pool_again(fut_executor *executor, fut_task *task) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  if (pool->given_up)
    fut_executor_refuse(task, FUT_OK);
  else
    fut_heap_push(&pool->slots.back, task); /* by its order it is the first */
  atomic_store(&pool->wanted, true);
}

static void pool_prune(fut_executor *executor) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_process_lock(pool);
  fut_process_recall(pool, true);
  fut_process_unlock(pool);
}

static void pool_expect(fut_executor *executor, bool more) {
  atomic_uint *awaited = &((fut_process_pool *)executor)->segment->awaited;
  if (more)
    atomic_fetch_add(awaited, 1);
  else
    atomic_fetch_sub(awaited, 1);
}

static void pool_look(fut_executor *executor, fut_task *task, bool cancel) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_object_hold(&executor->object);
  fut_process_lock(pool);
  unsigned place = task->place;
  fut_task *back = NULL;
  if (place == 0) {
    if (cancel && fut_future_cancel(&task->future)) {
      fut_task_left(task); /* it stays in the queue */
      pool->slots.cancelled++;
    }
    atomic_store(&pool->wanted, true); /* whoever asks will not submit now */
  } else if (cancel &&
             (back = fut_slots_take_back(&pool->slots, place - 1)) != NULL) {
    pool->slots.cancelled++;
    fut_executor_refuse(back, FUT_OK);
  } else
    fut_process_look_at(pool, place - 1);
  fut_process_unlock(pool);
  fut_object_release(&executor->object);
}

static void pool_watch(fut_executor *executor, fut_task *task) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_process_lock(pool);
  /* not handed out: then it will be as watched */
  if (task->place > 0)
    atomic_store(&pool->segment->slots[task->place - 1].watched, true);
  atomic_store(&pool->wanted, true); /* it may be done already */
  fut_process_unlock(pool);
}

static bool pool_stop(fut_executor *executor, fut_task *task) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_object_hold(&executor->object);
  fut_process_lock(pool);
  bool stopping = task->place > 0 && fut_process_stop(pool, task->place - 1,
                                                      FUT_OK, fut_clock_now());
  if (stopping)
    fut_process_ring(pool);
  else if (task->place > 0)
    fut_process_look_at(pool, task->place - 1);
  fut_process_unlock(pool);
  /* or it has just been: by another */
  stopping = stopping || fut_future_state(&task->future) == FUT_CANCELLED;
  fut_object_release(&executor->object);
  return stopping;
}

static void pool_kill(fut_executor *executor, int signal) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_process_lock(pool);
  for (unsigned i = 0; i < pool->children.size; i++)
    if (pool->children.child[i].present) {
      pool->children.child[i].expected = true;
      fut_children_signal(&pool->children, i, signal);
    }
  fut_process_unlock(pool);
}

static void pool_join(fut_executor *executor) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_process_lock(pool);
  bool joinable = pool->joinable;
  pool->joinable = false;
  fut_mutex_unlock(&pool->mutex);
  if (!joinable)
    return;
  if (pthread_equal(pool->keeper.handle, pthread_self()))
    fut_thread_detach(pool->keeper);
  else
    fut_thread_join(pool->keeper);
}

static void pool_stats(fut_executor *executor, fut_executor_stats *stats) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_process_step(pool, FUT_STEP_OTHER);
  fut_process_lock(pool);
  for (unsigned at = 0; at < FUT_SLOTS; at++) {
    if (pool->slots.handed[at].task == NULL)
      continue;
    if (fut_slot_state(fut_slots_word(&pool->slots, at)) == FUT_SLOT_RUNNING)
      stats->running++;
    else
      stats->pending++;
  }
  for (unsigned i = 0; i < pool->children.size; i++) {
    if (!pool->children.child[i].started)
      continue;
    const fut_seat *place = &pool->segment->seat[i];
    unsigned state = atomic_load(&place->state);
    stats->workers++;
    stats->idle += state == FUT_SEAT_ASLEEP || state == FUT_SEAT_SEARCHING;
    stats->run_time += atomic_load(&place->run_time);
  }
  stats->pending += fut_queue_count(pool->queue) + fut_link_count(&pool->ahead);
  stats->queue_time = pool->slots.queue_time;
  stats->completed = pool->slots.completed;
  stats->failed = pool->slots.failed + atomic_load(&executor->failed);
  stats->cancelled = pool->slots.cancelled + atomic_load(&executor->cancelled);
  fut_process_unlock(pool);
}

static bool pool_memory(fut_executor *executor, unsigned worker,
                        size_t *bytes) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  fut_process_lock(pool);
  unsigned seat = 0;
  for (; seat < pool->children.size; seat++)
    if (pool->children.child[seat].started && worker-- == 0)
      break;
  bool found = seat < pool->children.size;
  if (found)
    *bytes = (size_t)atomic_load(&pool->segment->seat[seat].memory);
  fut_process_unlock(pool);
  return found;
}

static bool pool_name(fut_executor *executor, unsigned number, char *name,
                      size_t size) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  bool found = false;
  fut_process_lock(pool);
  for (unsigned at = 0; at < FUT_SLOTS && !found; at++) {
    const fut_task *task = pool->slots.handed[at].task;
    found =
        task && task->named &&
        fut_slot_state(fut_slots_word(&pool->slots, at)) == FUT_SLOT_RUNNING &&
        number-- == 0;
    if (found)
      snprintf(name, size, "%s", fut_task_kind_of(task)->call(task).name);
  }
  fut_process_unlock(pool);
  return found;
}

static uint64_t pool_shelve(fut_executor *executor, const unsigned char *bytes,
                            size_t size) {
  return fut_shelf_put(&((fut_process_pool *)executor)->shelf, bytes, size);
}

static void progress_step(fut_executor *executor) {
  fut_process_step((fut_process_pool *)executor, FUT_STEP_WAITING);
}

static bool progress_crowded(fut_executor *executor) {
  fut_process_pool *pool = (fut_process_pool *)executor;
  return fut_children_awake(&pool->children) + 1 > pool->cpus;
}

/* --- beginning and end -------------------------------------------------------
 */

static void pool_free(fut_process_pool *pool) {
  pool_join(&pool->executor);
  fut_children_fini(&pool->children);
  fut_queue_free(pool->queue);
  fut_shelf_fini(&pool->shelf);
  fut_shared_close(&pool->shared);
  fut_mutex_fini(&pool->mutex);
  fut_executor_fini(&pool->executor);
  fut_memory_free(pool->program);
  fut_memory_free(pool->fds);
  fut_memory_free(pool);
}

void fut_process_leave(fut_process_pool *pool) {
  if (atomic_fetch_sub(&pool->keepers, 1) == 1)
    pool_free(pool);
}

/* The last owner gives it up. */
static void pool_give_up(fut_object *object) {
  fut_process_pool *pool = (fut_process_pool *)object;
  if (fut_executor_forked(&pool->executor))
    return; /* its locks, threads and children are the parent's */
  pool_shutdown(&pool->executor, false);
  fut_process_leave(pool);
}

static const fut_executor_ops pool_ops = {
    .object = {"process pool", pool_give_up},
    .submit = pool_submit,
    .shutdown = pool_shutdown,
    .join = pool_join,
    .stats = pool_stats,
    .memory = pool_memory,
    .name = pool_name,
    .again = pool_again,
    .prune = pool_prune,
    .expect = pool_expect,
    .shelve = pool_shelve,
    .stop = pool_stop,
    .look = pool_look,
    .watch = pool_watch,
    .kill = pool_kill,
    .broken = FUT_EBROKENPROCESSES};

/* Where the shelf lies: on pages of its own, as it is reserved apart. */
static size_t shelf_at(size_t settings_at,
                       const fut_process_pool_options *options) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  return (settings_at + options->settings_size + page - 1) / page * page;
}

/* Fill in what is shared. */
static void segment_init(fut_segment *segment, size_t settings_at,
                         const fut_process_pool_options *options) {
  const fut_pool_options *pool = &options->pool;
  memcpy(segment->build, fut_segment_build, FUT_BUILD_SIZE);
  segment->seats = pool->max_workers;
  segment->settings_offset = settings_at;
  segment->settings_size = (uint32_t)options->settings_size;
  segment->shelf_offset = shelf_at(settings_at, options);
  if (options->settings_size > 0)
    memcpy((char *)segment + settings_at, options->settings,
           options->settings_size);
  segment->max_tasks = pool->max_tasks_per_child;
  segment->memory_limit = pool->memory_limit;
  segment->idle_timeout = pool->idle_timeout;
  segment->cpus = fut_cpus_usable();
  snprintf(segment->name, sizeof segment->name, "%s", pool->name);
}

fut_err fut_process_pool_new(const fut_process_pool_options *options,
                             fut_executor **executor) {
  unsigned workers = options->pool.max_workers;
  CHECK(workers >= 1 && workers <= FUT_WORKERS_LIMIT);
  size_t settings_at = sizeof(fut_segment) + workers * sizeof(fut_seat);
  fut_process_pool *pool = fut_memory_new(sizeof *pool);
  if (pool == NULL)
    return FUT_ENOMEM;
  fut_err err =
      fut_executor_init(&pool->executor, &pool_ops, options->pool.max_pending);
  if (err != FUT_OK)
    goto free_pool;
  pool->executor.max_workers = workers;
  pool->executor.shares = options->pool.max_tasks_per_child == FUT_UNLIMITED &&
                          options->pool.max_pending == FUT_UNLIMITED;
  size_t shelf = shelf_at(settings_at, options);
  err = fut_shared_new_part(&pool->shared, shelf + FUT_SHELF_SIZE, shelf);
  if (err != FUT_OK)
    goto fini_executor;
  fut_shelf_init(&pool->shelf, &pool->shared, shelf);
  err = FUT_ENOMEM;
  pool->queue = fut_queue_new();
  if (pool->queue == NULL)
    goto close_shared;
  pool->fds = fut_memory_new((workers + 1) * sizeof *pool->fds);
  if (pool->fds == NULL)
    goto free_queue;
  pool->program = fut_memory_new(strlen(options->program) + 1);
  if (pool->program == NULL)
    goto free_fds;
  strcpy(pool->program, options->program);
  pool->segment = pool->shared.base;
  segment_init(pool->segment, settings_at, options);
  err = fut_children_init(&pool->children, pool->segment, pool->shared.fd,
                          pool->program, workers);
  if (err != FUT_OK)
    goto free_program;
  fut_slots_init(&pool->slots, pool->segment);
  fut_link_init(&pool->ahead);
  fut_mutex_init(&pool->mutex);
  atomic_init(&pool->wanted, false);
  pool->respawn = options->respawn;
  pool->cpus = pool->segment->cpus;
  pool->hungry = pool->told_hungry = pool->streak = 0;
  pool->held_up = false;
  pool->submitted = FUT_POLL;
  atomic_init(&pool->backlog, false);
  atomic_init(&pool->patience, 0);
  pool->lent = pool->given_up = false;
  pool->start = pool->look = false;
  pool->phase = FUT_PHASE_OPEN;
  pool->no_start = FUT_POLL;
  pool->wake_at = FUT_NEVER;
  atomic_init(&pool->keepers, 2);
  pool->joinable = true;
  pool->progress = (fut_progress){.executor = &pool->executor,
                                  .step = progress_step,
                                  .crowded = progress_crowded};
  err = fut_thread_start(&pool->keeper, fut_process_keep, pool);
  if (err != FUT_OK)
    goto fini_children;
  fut_progress_join(&pool->progress);
  *executor = &pool->executor;
  return FUT_OK;

fini_children:
  fut_mutex_fini(&pool->mutex);
  fut_children_fini(&pool->children);
free_program:
  fut_memory_free(pool->program);
free_fds:
  fut_memory_free(pool->fds);
free_queue:
  fut_queue_free(pool->queue);
close_shared:
  fut_shelf_fini(&pool->shelf);
  fut_shared_close(&pool->shared);
fini_executor:
  fut_executor_fini(&pool->executor);
free_pool:
  fut_memory_free(pool);
  return err;
}
