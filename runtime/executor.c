/* executor.c - what every pool offers: submit, shut down, say how it stands */
#include "executor.h"

#include "check.h"
#include "handle.h"
#include "memory.h"
#include "pool.h"
#include "thread.h"

#include <string.h>

static void nothing(fut_future *future) { (void)future; }

static const fut_future_kind terminated_kind = {
    .object = {"termination", fut_future_free}, .fini = nothing};

static const fut_executor_ops *ops(const fut_executor *executor) {
  return (const fut_executor_ops *)(const void *)executor->object.kind;
}

static char unknown[] = "no memory to say why"; /* a breakage, never freed */

fut_err fut_executor_init(fut_executor *executor, const fut_executor_ops *kind,
                          size_t max_pending) {
  fut_object_init(&executor->object, &kind->object);
  fut_handle_init(executor);
  static atomic_uint_least64_t last;
  executor->generation = fut_thread_generation();
  executor->number = atomic_fetch_add(&last, 1) + 1;
  executor->arena = fut_arena_new(sizeof(fut_future));
  if (executor->arena == NULL)
    return FUT_ENOMEM;
  executor->terminated = fut_arena_take(executor->arena);
  if (executor->terminated == NULL) {
    fut_arena_close(executor->arena);
    return FUT_ENOMEM;
  }
  fut_future_init(executor->terminated, &terminated_kind, executor->arena);
  fut_room_init(&executor->room, max_pending, executor->arena);
  atomic_init(&executor->closed, false);
  atomic_init(&executor->breakage, NULL);
  atomic_init(&executor->cancelled, 0);
  atomic_init(&executor->failed, 0);
  executor->max_workers = 0;
  executor->shares = false;
  atomic_init(&executor->behind, 0);
  atomic_init(&executor->many_completed, 0);
  atomic_init(&executor->many_failed, 0);
  atomic_init(&executor->many_cancelled, 0);
  return FUT_OK;
}

void fut_executor_fini(fut_executor *executor) {
  char *breakage = atomic_load(&executor->breakage);
  if (breakage != unknown)
    fut_memory_free(breakage);
  fut_room_fini(&executor->room);
  fut_future_release(executor->terminated, executor->arena);
  fut_arena_close(executor->arena);
}

bool fut_executor_forked(const fut_executor *executor) {
  return executor->generation != fut_thread_generation();
}

bool fut_executor_break(fut_executor *executor, const char *message) {
  size_t size = strlen(message) + 1;
  char *copy = fut_memory_new(size);
  if (copy)
    memcpy(copy, message, size);
  char *none = NULL;
  bool first = atomic_compare_exchange_strong(&executor->breakage, &none,
                                              copy ? copy : unknown);
  if (!first)
    fut_memory_free(copy);
  fut_room_open(&executor->room);
  return first;
}

const char *fut_executor_broken(const fut_executor *executor) {
  return atomic_load(&executor->breakage);
}

fut_err fut_executor_refuse(fut_task *task, fut_err err) {
  fut_task_left(task);
  fut_future_cancel(&task->future);
  fut_future_release(&task->future, NULL);
  return err;
}

fut_err fut_executor_submit(fut_executor *executor, fut_task *task) {
  if (fut_executor_forked(executor))
    return fut_executor_refuse(task, FUT_EFORKED);
  if (fut_executor_broken(executor))
    return fut_executor_refuse(task, ops(executor)->broken);
  if (!fut_room_enter(&executor->room))
    return atomic_load(&executor->closed)
               ? fut_executor_refuse(task, FUT_ESHUTDOWN)
               : FUT_EFULL;
  fut_object_hold(&executor->object);
  task->executor = executor;
  task->submitted = fut_clock_coarse();
  atomic_store_explicit(&task->counted, executor->room.limit != FUT_UNLIMITED,
                        memory_order_relaxed); /* published with the task */
  return ops(executor)->submit(executor, task);
}

bool fut_executor_far(const fut_executor *executor) {
  return ops(executor)->look != NULL;
}

fut_err fut_executor_refusal(const fut_executor *executor) {
  if (fut_executor_forked(executor))
    return FUT_EFORKED;
  if (fut_executor_broken(executor))
    return ops(executor)->broken;
  return atomic_load(&executor->closed) ? FUT_ESHUTDOWN : FUT_OK;
}

void fut_executor_again(fut_executor *executor, fut_task *task) {
  fut_object_hold(&executor->object);
  task->executor = executor;
  task->submitted = fut_clock_coarse();
  ops(executor)->again(executor, task);
}

unsigned fut_executor_demands(fut_executor *executor, double priority) {
  if (fut_executor_broken(executor))
    return FUT_GIVE_UP;
  return ops(executor)->demands(executor, priority);
}

void fut_executor_prune(fut_executor *executor) {
  if (ops(executor)->prune && !fut_executor_forked(executor))
    ops(executor)->prune(executor);
}

void fut_executor_expect(fut_executor *executor, bool more) {
  if (ops(executor)->expect && !fut_executor_forked(executor))
    ops(executor)->expect(executor, more);
}

void fut_executor_count(fut_executor *executor, fut_state state,
                        uint64_t things) {
  _Atomic uint64_t *figure = state == FUT_FINISHED ? &executor->many_completed
                             : state == FUT_FAILED ? &executor->many_failed
                                                   : &executor->many_cancelled;
  /* relaxed: what is counted is published after this */
  atomic_fetch_add_explicit(figure, things, memory_order_relaxed);
}

uint64_t fut_executor_shelve(fut_executor *executor, const unsigned char *bytes,
                             size_t size) {
  if (ops(executor)->shelve == NULL || fut_executor_forked(executor))
    return 0;
  return ops(executor)->shelve(executor, bytes, size);
}

fut_future *fut_executor_vacancy(fut_executor *executor) {
  fut_future *vacancy = fut_room_vacancy(&executor->room);
  if (atomic_load(&executor->closed) || fut_executor_broken(executor))
    fut_room_open(&executor->room); /* submit will say so */
  return vacancy;
}

void fut_executor_shutdown(fut_executor *executor, bool cancel_futures) {
  if (fut_executor_forked(executor))
    return;
  atomic_store(&executor->closed, true);
  ops(executor)->shutdown(executor, cancel_futures);
  fut_room_open(&executor->room); /* submit now fails rather than wait */
}

void fut_executor_kill(fut_executor *executor, int signal) {
  if (fut_executor_forked(executor))
    return;
  CHECK(ops(executor)->kill != NULL);
  fut_executor_shutdown(executor, true); /* first: none is started anew */
  ops(executor)->kill(executor, signal);
}

void fut_executor_halt(fut_executor *executor) {
  if (ops(executor)->halt && !fut_executor_forked(executor))
    ops(executor)->halt(executor);
}

bool fut_executor_inside(fut_executor *executor) {
  return ops(executor)->inside && !fut_executor_forked(executor) &&
         ops(executor)->inside(executor);
}

void fut_executor_abandon(fut_executor *executor) {
  if (fut_executor_forked(executor))
    return;
  if (ops(executor)->abandon)
    ops(executor)->abandon(executor);
  else
    fut_executor_shutdown(executor, false);
}

fut_future *fut_executor_terminated(fut_executor *executor) {
  return executor->terminated;
}

void fut_executor_join(fut_executor *executor) {
  CHECK(fut_state_done(fut_future_state(executor->terminated)));
  ops(executor)->join(executor);
}

void fut_executor_stats_get(fut_executor *executor, fut_executor_stats *stats) {
  *stats = (fut_executor_stats){.workers = 0};
  if (fut_executor_forked(executor))
    return;
  ops(executor)->stats(executor, stats);
  /* where room is counted, that is exact; queues count some twice for a moment
   */
  size_t waiting = fut_room_taken(&executor->room);
  if (executor->room.limit != FUT_UNLIMITED && stats->pending > waiting)
    stats->pending = waiting;
  stats->pending += atomic_load(&executor->behind);
  stats->completed += atomic_load(&executor->many_completed);
  stats->failed += atomic_load(&executor->many_failed);
  stats->cancelled += atomic_load(&executor->many_cancelled);
}

bool fut_executor_memory(fut_executor *executor, unsigned worker,
                         size_t *bytes) {
  return ops(executor)->memory && !fut_executor_forked(executor) &&
         ops(executor)->memory(executor, worker, bytes);
}

bool fut_executor_name(fut_executor *executor, unsigned number, char *name,
                       size_t size) {
  return ops(executor)->name && !fut_executor_forked(executor) &&
         ops(executor)->name(executor, number, name, size);
}

/* Whether the task is somewhere else than in this process' queues. */
static bool far(const fut_task *task) {
  return task->executor && ops(task->executor)->look &&
         !fut_executor_forked(task->executor);
}

bool fut_task_cancel(fut_task *task) {
  if (far(task)) {
    if (fut_future_state(&task->future) == FUT_PENDING)
      ops(task->executor)->look(task->executor, task, true);
    return fut_future_state(&task->future) == FUT_CANCELLED;
  }
  if (!fut_future_cancel(&task->future))
    return false;
  if (task->executor && !fut_executor_forked(task->executor)) {
    if (!task->many)
      atomic_fetch_add(&task->executor->cancelled, 1);
    fut_task_left(task);
  }
  return true;
}

bool fut_task_stop(fut_task *task) {
  if (fut_task_cancel(task))
    return true;
  if (fut_state_done(fut_future_state(&task->future)))
    return fut_future_state(&task->future) == FUT_CANCELLED;
  fut_executor *executor = task->executor;
  return executor && !fut_executor_forked(executor) && ops(executor)->stop &&
         ops(executor)->stop(executor, task);
}

void fut_task_watched(fut_future *future) {
  fut_task *task = (fut_task *)future;
  if (far(task) && ops(task->executor)->watch)
    ops(task->executor)->watch(task->executor, task);
}

fut_state fut_task_state(fut_task *task) {
  if (!fut_state_done(fut_future_state(&task->future)) && far(task))
    ops(task->executor)->look(task->executor, task, false);
  return fut_future_state(&task->future);
}
