/* process_pool.c - an executor whose workers are child processes

   The parent's work is one step: collect what is done, hand out what waits,
   wake who sleeps. Whoever comes along makes it: who submits, who waits
   (progress.h), or the keeper, a thread that sleeps until a worker rings, one
   ends, or a time is up. The keeper also starts and buries workers. So tasks go
   on whatever the submitting thread does, and whoever waits is served by the
   worker directly.

   `mutex` guards slots and crew. Nobody waits for it to make a step: who finds
   it taken leaves a note (`wanted`), and whoever holds it looks for notes after
   it has given it back. Under it futures end, so locks of arenas, completion
   queues and parkers are taken; no user code runs.

   Who keeps the pool: its owners and tasks, by references, and the keeper until
   no worker is left. */
#include "process_pool.h"

#include "check.h"
#include "cpus.h"
#include "crew.h"
#include "memory.h"
#include "progress.h"
#include "queue.h"
#include "thread.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define KILL_NS 1000000000 /* how long a task may go on after a stop */
#define AGAIN_NS 10000000  /* how often a stop is asked for again */
#define LOOK_NS 50000000   /* how often to look after workers that were woken */
#define RETRY_NS 1000000000 /* when to try again to start a worker */
#define START_LIMIT 3       /* starts in a row that may come to nothing */

struct pool {
  fut_executor executor;
  fut_progress progress;
  fut_queue *queue;
  fut_shared shared;
  fut_segment *segment;
  bool respawn; /* set once */
  fut_mutex mutex;
  atomic_bool wanted;    /* atomic: a step is to be made */
  fut_slots slots;       /* guarded by mutex */
  fut_crew crew;         /* guarded by mutex */
  bool start;            /* guarded by mutex: a worker is to be started */
  bool look;             /* guarded by mutex: tickets wait, see who is slow */
  fut_deadline no_start; /* guarded by mutex: until then */
  fut_deadline wake_at;  /* guarded by mutex: when the keeper will look */
  atomic_uint keepers;   /* atomic: the keeper, and 1 for all owners */
  fut_thread keeper;
  bool joinable;      /* guarded by mutex */
  char *program;      /* owned */
  struct pollfd *fds; /* keeper only: its event and the members */
};

/* --- the step ----------------------------------------------------------------
 */

/* Return the next task in the order of priority and submission, or NULL. What
   was taken back goes before what is in the queue. */
static fut_task *next_task(struct pool *pool) {
  fut_slots *slots = &pool->slots;
  fut_task *task;
  while (fut_queue_urgent(pool->queue) &&
         (task = fut_queue_pull_urgent(pool->queue)) != NULL)
    fut_heap_push(&slots->back, task);
  if (slots->back.top && slots->back.top->priority >= 0)
    return fut_heap_pop(&slots->back);
  fut_link none;
  fut_link_init(&none);
  task = fut_queue_pull(pool->queue, &none, UINT_MAX);
  if (task)
    return task;
  if ((task = fut_queue_pull_low(pool->queue)) != NULL)
    fut_heap_push(&slots->back, task);
  return slots->back.top ? fut_heap_pop(&slots->back) : NULL;
}

/* Return how many tasks wait to be handed out, cancelled ones included. */
static bool more(struct pool *pool) {
  return pool->slots.back.top || fut_queue_count(pool->queue) > 0;
}

static void hand_out(struct pool *pool) {
  fut_slots *slots = &pool->slots;
  if (fut_queue_urgent(pool->queue)) { /* it goes before what was handed out */
    slots->sorted = true;
    fut_slots_recall(slots);
  }
  bool tell = pool->executor.room.limit != FUT_UNLIMITED;
  while (fut_slots_room(slots) && more(pool)) {
    /* where priorities matter few are handed out, to be recalled again */
    if (slots->sorted && fut_slots_waiting(slots) >= 2 * pool->crew.size)
      break;
    fut_task *task = next_task(pool);
    if (task == NULL)
      break;
    if (fut_future_state(&task->future) == FUT_PENDING)
      fut_slots_hand_out(slots, task, tell);
    else
      fut_executor_refuse(task, FUT_OK); /* cancelled */
  }
  bool backlog = more(pool);
  if (atomic_load_explicit(&pool->segment->backlog, memory_order_relaxed) !=
      backlog) /* relaxed: only we write it */
    atomic_store(&pool->segment->backlog, backlog);
}

/* Wake the keeper. */
static void ring(struct pool *pool) { fut_event_set(&pool->crew.event); }

/* See that somebody searches when something waits. */
static void see_to_workers(struct pool *pool, fut_deadline now) {
  unsigned waiting = fut_slots_waiting(&pool->slots);
  if (waiting == 0)
    return;
  bool start = fut_crew_wake(&pool->crew, waiting, now);
  bool call = start && !pool->start;
  pool->start = pool->start || start;
  if (!pool->look) { /* the keeper looks a little later whether they came */
    pool->look = true;
    call = true;
  }
  if (call)
    ring(pool);
}

/* Move on to the end, when that has been asked for. */
static void see_to_end(struct pool *pool) {
  if (!fut_queue_closed(pool->queue))
    return;
  unsigned phase = FUT_PHASE_DRAINING;
  if (!more(pool) && pool->slots.used == 0)
    phase = FUT_PHASE_CLOSED;
  if (atomic_load(&pool->segment->phase) >= phase)
    return;
  atomic_store(&pool->segment->phase, phase);
  if (phase == FUT_PHASE_CLOSED) {
    fut_crew_wake_all(&pool->crew);
    ring(pool);
  }
}

/* Return when the first time is up of those that tasks have. */
static fut_deadline next_limit(const struct pool *pool) {
  const fut_slots *slots = &pool->slots;
  fut_deadline first = FUT_NEVER;
  if (slots->telling + slots->stopping > 0)
    for (unsigned at = 0; at < FUT_SLOTS; at++) {
      const fut_handed *handed = &slots->handed[at];
      if (handed->task && !handed->stopping && handed->limit < first)
        first = handed->limit;
    }
  return first;
}

static void pass(struct pool *pool, fut_deadline now) {
  for (unsigned i = 0; i < pool->crew.size; i++)
    fut_crew_collect(&pool->crew, i, &pool->slots);
  fut_slots_look(&pool->slots);
  hand_out(pool);
  see_to_workers(pool, now);
  see_to_end(pool);
  if (pool->slots.telling > 0 && next_limit(pool) < pool->wake_at)
    ring(pool);
}

/* Make a step, or leave that to whoever holds the mutex. */
static void step(struct pool *pool) {
  /* futures that end may be the last to hold the pool */
  bool held = fut_object_try_hold(&pool->executor.object);
  atomic_store(&pool->wanted, true);
  while (atomic_load(&pool->wanted) && fut_mutex_try_lock(&pool->mutex)) {
    atomic_store(&pool->wanted, false);
    pass(pool, FUT_POLL);
    fut_mutex_unlock(&pool->mutex);
  }
  if (held)
    fut_object_release(&pool->executor.object);
}

static void lock(struct pool *pool) { fut_mutex_lock(&pool->mutex); }

/* Give the mutex back and make the step that others have left to us. */
static void unlock(struct pool *pool) {
  fut_mutex_unlock(&pool->mutex);
  if (atomic_load(&pool->wanted))
    step(pool);
}

/* --- breaking ----------------------------------------------------------------
 */

/* Take every task that was not started, from wherever it is; one at a time,
   NULL: there is none left. Assumes mutex held. */
static fut_task *take_any(struct pool *pool) {
  fut_slots *slots = &pool->slots;
  for (unsigned at = 0; at < FUT_SLOTS && slots->used > 0; at++) {
    fut_task *task =
        slots->handed[at].task ? fut_slots_take_back(slots, at) : NULL;
    if (task)
      return task;
  }
  return next_task(pool);
}

/* Fail all that is unfinished and end the workers. Assumes mutex held. */
static void break_pool(struct pool *pool, const char *why) {
  if (!fut_executor_break(&pool->executor, why))
    return;
  fut_queue_close(pool->queue);
  fut_task *task;
  while ((task = take_any(pool)) != NULL)
    fut_task_drop(task, FUT_EBROKENPROCESSES, why);
  for (unsigned at = 0; at < FUT_SLOTS; at++)
    if (pool->slots.handed[at].task)
      fut_slots_abandon(&pool->slots, at, FUT_EBROKENPROCESSES, why);
  fut_deadline now = fut_clock_now();
  for (unsigned i = 0; i < pool->crew.size; i++) {
    fut_crew_member *member = &pool->crew.members[i];
    member->expected = true;
    member->kill_at = now + KILL_NS;
    fut_crew_signal(&pool->crew, i, SIGTERM);
  }
  see_to_end(pool);
}

/* --- burying -----------------------------------------------------------------
 */

/* Collect what the worker has done, and return the slot of the task that it had
   not; FUT_SLOTS: none. Assumes mutex held. */
static unsigned last_task(struct pool *pool, unsigned seat) {
  fut_slots *slots = &pool->slots;
  unsigned victim = FUT_SLOTS;
  fut_crew_collect(&pool->crew, seat, slots);
  for (unsigned at = 0; at < FUT_SLOTS; at++) {
    if (slots->handed[at].task == NULL)
      continue;
    uint64_t word = fut_slots_word(slots, at);
    if (fut_slot_seat(word) != seat ||
        fut_slot_generation(word) != slots->handed[at].generation)
      continue;
    if (fut_slot_state(word) == FUT_SLOT_DONE) /* it could not say so */
      fut_crew_collect_slot(&pool->crew, seat, slots, at);
    else if (fut_slot_state(word) == FUT_SLOT_RUNNING)
      victim = at;
  }
  return victim;
}

/* Decide what the end of a worker means. Assumes mutex held. */
static void bury(struct pool *pool, unsigned seat, const fut_process_end *end) {
  fut_crew *crew = &pool->crew;
  fut_seat *place = &crew->segment->seat[seat];
  bool expected = crew->members[seat].expected;
  bool opened = atomic_load(&place->opened);
  unsigned state = atomic_load(&place->state);
  char how[64], why[FUT_REPORT_SIZE + 64];
  fut_process_end_text(end, how, sizeof how);
  snprintf(why, sizeof why, "worker %ld %s%s",
           (long)crew->members[seat].process.pid, how,
           opened ? "" : " before its first task");
  bool failed = state == FUT_SEAT_FAILED;
  if (failed) {
    place->report[FUT_REPORT_SIZE - 1] = '\0';
    snprintf(why, sizeof why, "%s", place->report);
  }
  unsigned victim = last_task(pool, seat);
  if (state == FUT_SEAT_RETIRED && victim == FUT_SLOTS)
    expected = true;
  if (victim < FUT_SLOTS && pool->slots.handed[victim].stopping)
    fut_slots_abandon(&pool->slots, victim, pool->slots.handed[victim].why,
                      NULL);
  else if (victim < FUT_SLOTS)
    fut_slots_abandon(&pool->slots, victim, FUT_EBROKENPROCESSES, why);
  pool->slots.lost = true;
  fut_crew_leave(crew, seat);
  if (opened)
    crew->failures = 0;
  else if (!expected)
    crew->failures++;
  if (!expected && (failed || !pool->respawn || crew->failures >= START_LIMIT))
    break_pool(pool, why);
}

static void bury_all(struct pool *pool) {
  for (unsigned i = 0; i < pool->crew.size; i++) {
    fut_crew_member *member = &pool->crew.members[i];
    fut_process_end end;
    lock(pool);
    if (member->started && fut_process_bury(&member->process, &end))
      bury(pool, i, &end);
    unlock(pool);
  }
}

/* --- starting ----------------------------------------------------------------
 */

static void start_worker(struct pool *pool, fut_deadline now) {
  lock(pool);
  bool start = pool->start && !fut_executor_broken(&pool->executor) &&
               now >= pool->no_start;
  unsigned seat = start ? fut_crew_take_seat(&pool->crew) : pool->crew.size;
  pool->start = false;
  unlock(pool);
  if (seat == pool->crew.size)
    return;
  int failed = fut_crew_start(&pool->crew, seat);
  lock(pool);
  if (failed) {
    fut_crew_leave(&pool->crew, seat);
    pool->no_start = now + RETRY_NS;
    char why[320];
    snprintf(why, sizeof why, "cannot start %s: %s", pool->program,
             strerror(failed));
    if (pool->crew.present == 0)
      break_pool(pool, why);
  } else {
    pool->crew.members[seat].started = true;
    if (pool->crew.members[seat].expected) /* broken meanwhile, or killed */
      fut_crew_signal(&pool->crew, seat, SIGKILL);
  }
  unlock(pool);
}

/* --- times -------------------------------------------------------------------
 */

/* Ask the worker of a slot to stop its task. Assumes mutex held. */
static bool stop_slot(struct pool *pool, unsigned at, fut_err why,
                      fut_deadline now) {
  if (!fut_slots_stop(&pool->slots, at, why, now + KILL_NS))
    return false;
  unsigned seat = fut_slot_seat(fut_slots_word(&pool->slots, at));
  if (seat < pool->crew.size && pool->crew.members[seat].started)
    fut_event_set(&pool->crew.members[seat].stop);
  return true;
}

/* Stop tasks whose time is up, kill workers that do not stop theirs. Return
   when to look again. Assumes mutex held. */
static fut_deadline see_to_times(struct pool *pool, fut_deadline now) {
  fut_slots *slots = &pool->slots;
  fut_deadline again = FUT_NEVER;
  for (unsigned at = 0; at < FUT_SLOTS; at++) {
    fut_handed *handed = &slots->handed[at];
    if (slots->telling + slots->stopping == 0)
      break;
    if (handed->task == NULL)
      continue;
    if (!handed->stopping && handed->limit <= now)
      stop_slot(pool, at, FUT_ETIMEDOUT, now);
    if (!handed->stopping)
      continue;
    unsigned seat = fut_slot_seat(fut_slots_word(slots, at));
    if (seat >= pool->crew.size || !pool->crew.members[seat].started)
      continue;
    if (handed->kill_at <= now) {
      pool->crew.members[seat].expected = true;
      fut_crew_signal(&pool->crew, seat, SIGKILL);
    } else {
      stop_slot(pool, at, handed->why, now);
      again = now + AGAIN_NS;
    }
  }
  for (unsigned i = 0; i < pool->crew.size; i++) {
    fut_crew_member *member = &pool->crew.members[i];
    if (!member->started || member->kill_at == FUT_NEVER)
      continue;
    if (member->kill_at <= now) {
      fut_crew_signal(&pool->crew, i, SIGKILL);
      member->kill_at = FUT_NEVER;
    } else if (member->kill_at < again)
      again = member->kill_at;
  }
  fut_deadline limit = next_limit(pool);
  return limit < again ? limit : again;
}

/* --- the keeper --------------------------------------------------------------
 */

/* Whether no worker is left, nor will be. Assumes mutex held. */
static bool over(const struct pool *pool) {
  return pool->crew.present == 0 && !pool->start &&
         atomic_load(&pool->segment->phase) == FUT_PHASE_CLOSED;
}

/* Sleep until a worker rings, one ends, or deadline. */
static void sleep_keeper(struct pool *pool, fut_deadline deadline) {
  unsigned count = 1;
  pool->fds[0] =
      (struct pollfd){.fd = pool->crew.event.readable, .events = POLLIN};
  for (unsigned i = 0; i < pool->crew.size; i++)
    if (pool->crew.members[i].started)
      pool->fds[count++] = (struct pollfd){
          .fd = pool->crew.members[i].process.watch, .events = POLLIN};
  int64_t left = fut_deadline_left(deadline);
  int64_t ms = left == INT64_MAX ? -1 : left / 1000000 + (left > 0);
  poll(pool->fds, count, ms > INT_MAX ? INT_MAX : (int)ms);
  atomic_store(&pool->segment->parent_asleep, false);
  fut_event_clear(&pool->crew.event);
}

static void pool_leave(struct pool *pool);

static void keeper_main(void *argument) {
  struct pool *pool = argument;
  char name[64];
  snprintf(name, sizeof name, "%s-keeper", pool->segment->name);
  fut_thread_name(name);
  for (;;) {
    /* first say that we sleep, then look: who comes later rings */
    atomic_store(&pool->segment->parent_asleep, true);
    step(pool);
    lock(pool);
    fut_deadline now = fut_clock_now();
    if (pool->look) {
      pool->look = fut_slots_waiting(&pool->slots) > 0;
      see_to_workers(pool, now);
    }
    pool->wake_at = see_to_times(pool, now);
    if (pool->look && now + LOOK_NS < pool->wake_at)
      pool->wake_at = now + LOOK_NS;
    fut_deadline wake_at = pool->wake_at;
    bool end = over(pool);
    unlock(pool);
    if (end)
      break;
    sleep_keeper(pool, wake_at);
    bury_all(pool);
    start_worker(pool, fut_clock_now());
  }
  fut_progress_leave(&pool->progress);
  fut_future_end(pool->executor.terminated, FUT_FINISHED);
  pool_leave(pool);
}

/* --- the executor ------------------------------------------------------------
 */

static fut_err pool_submit(fut_executor *executor, fut_task *task) {
  struct pool *pool = (struct pool *)executor;
  if (!fut_queue_push(pool->queue, task)) {
    bool broken = fut_executor_broken(executor) != NULL;
    return fut_executor_refuse(task,
                               broken ? FUT_EBROKENPROCESSES : FUT_ESHUTDOWN);
  }
  step(pool);
  return FUT_OK;
}

static void pool_shutdown(fut_executor *executor, bool cancel_futures) {
  struct pool *pool = (struct pool *)executor;
  fut_queue_close(pool->queue);
  if (cancel_futures) {
    lock(pool);
    fut_task *task;
    while ((task = take_any(pool)) != NULL) {
      pool->slots.cancelled += fut_future_state(&task->future) == FUT_PENDING;
      fut_executor_refuse(task, FUT_OK);
    }
    unlock(pool);
  }
  step(pool);
}

/* Collect the task in a slot, if it is done, or see that it runs. Assumes mutex
   held. */
static void look_at(struct pool *pool, unsigned at) {
  uint64_t word = fut_slots_word(&pool->slots, at);
  unsigned seat = fut_slot_seat(word);
  if (fut_slot_state(word) == FUT_SLOT_DONE && seat < pool->crew.size)
    fut_crew_collect(&pool->crew, seat, &pool->slots);
  else if (fut_slot_state(word) == FUT_SLOT_RUNNING)
    fut_slots_started(&pool->slots, at);
}

static void pool_look(fut_executor *executor, fut_task *task, bool cancel) {
  struct pool *pool = (struct pool *)executor;
  fut_object_hold(&executor->object);
  lock(pool);
  unsigned place = task->place;
  fut_task *back = NULL;
  if (place == 0) {
    if (cancel && fut_future_cancel(&task->future)) {
      fut_task_left(task); /* it stays in the queue */
      pool->slots.cancelled++;
    }
  } else if (cancel &&
             (back = fut_slots_take_back(&pool->slots, place - 1)) != NULL) {
    pool->slots.cancelled++;
    fut_executor_refuse(back, FUT_OK);
  } else
    look_at(pool, place - 1);
  unlock(pool);
  fut_object_release(&executor->object);
}

static bool pool_stop(fut_executor *executor, fut_task *task) {
  struct pool *pool = (struct pool *)executor;
  fut_object_hold(&executor->object);
  lock(pool);
  bool stopping = task->place > 0 &&
                  stop_slot(pool, task->place - 1, FUT_OK, fut_clock_now());
  if (stopping)
    ring(pool);
  else if (task->place > 0)
    look_at(pool, task->place - 1);
  unlock(pool);
  fut_object_release(&executor->object);
  return stopping;
}

static void pool_kill(fut_executor *executor, int signal) {
  struct pool *pool = (struct pool *)executor;
  lock(pool);
  for (unsigned i = 0; i < pool->crew.size; i++)
    if (pool->crew.members[i].present) {
      pool->crew.members[i].expected = true;
      fut_crew_signal(&pool->crew, i, signal);
    }
  unlock(pool);
}

static void pool_join(fut_executor *executor) {
  struct pool *pool = (struct pool *)executor;
  lock(pool);
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
  struct pool *pool = (struct pool *)executor;
  step(pool);
  lock(pool);
  for (unsigned at = 0; at < FUT_SLOTS; at++) {
    if (pool->slots.handed[at].task == NULL)
      continue;
    if (fut_slot_state(fut_slots_word(&pool->slots, at)) == FUT_SLOT_RUNNING)
      stats->running++;
    else
      stats->pending++;
  }
  for (unsigned i = 0; i < pool->crew.size; i++) {
    if (!pool->crew.members[i].started)
      continue;
    const fut_seat *place = &pool->segment->seat[i];
    unsigned state = atomic_load(&place->state);
    stats->workers++;
    stats->idle += state == FUT_SEAT_ASLEEP || state == FUT_SEAT_SEARCHING;
    stats->run_time += atomic_load(&place->run_time);
  }
  stats->pending += fut_queue_count(pool->queue);
  stats->completed = pool->slots.completed;
  stats->failed = pool->slots.failed;
  stats->cancelled = pool->slots.cancelled;
  unlock(pool);
}

static bool pool_memory(fut_executor *executor, unsigned worker,
                        size_t *bytes) {
  struct pool *pool = (struct pool *)executor;
  lock(pool);
  unsigned seat = 0;
  for (; seat < pool->crew.size; seat++)
    if (pool->crew.members[seat].started && worker-- == 0)
      break;
  bool found = seat < pool->crew.size;
  if (found)
    *bytes = (size_t)atomic_load(&pool->segment->seat[seat].memory);
  unlock(pool);
  return found;
}

static void progress_step(fut_executor *executor) {
  step((struct pool *)executor);
}

static void progress_watch(fut_executor *executor) {
  struct pool *pool = (struct pool *)executor;
  lock(pool);
  fut_slots_watch(&pool->slots);
  atomic_store(&pool->wanted, true);
  unlock(pool);
}

static bool progress_crowded(fut_executor *executor) {
  struct pool *pool = (struct pool *)executor;
  return fut_crew_awake(&pool->crew) + 1 > pool->segment->cpus;
}

/* --- beginning and end -------------------------------------------------------
 */

static void pool_free(struct pool *pool) {
  pool_join(&pool->executor);
  fut_crew_fini(&pool->crew);
  fut_queue_free(pool->queue);
  fut_shared_close(&pool->shared);
  fut_mutex_fini(&pool->mutex);
  fut_executor_fini(&pool->executor);
  fut_memory_free(pool->program);
  fut_memory_free(pool->fds);
  fut_memory_free(pool);
}

/* Keep the pool no longer. */
static void pool_leave(struct pool *pool) {
  if (atomic_fetch_sub(&pool->keepers, 1) == 1)
    pool_free(pool);
}

/* The last owner gives it up. */
static void pool_give_up(fut_object *object) {
  struct pool *pool = (struct pool *)object;
  if (fut_executor_forked(&pool->executor))
    return; /* its locks, threads and children are the parent's */
  pool_shutdown(&pool->executor, false);
  pool_leave(pool);
}

static const fut_executor_ops pool_ops = {
    .object = {"process pool", pool_give_up},
    .submit = pool_submit,
    .shutdown = pool_shutdown,
    .join = pool_join,
    .stats = pool_stats,
    .memory = pool_memory,
    .stop = pool_stop,
    .look = pool_look,
    .kill = pool_kill,
    .broken = FUT_EBROKENPROCESSES};

/* Fill in what is shared. */
static void segment_init(fut_segment *segment, size_t settings_at,
                         const fut_process_pool_options *options) {
  const fut_pool_options *pool = &options->pool;
  memcpy(segment->build, fut_segment_build, FUT_BUILD_SIZE);
  segment->seats = pool->max_workers;
  segment->settings_offset = settings_at;
  segment->settings_size = (uint32_t)options->settings_size;
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
  struct pool *pool = fut_memory_new(sizeof *pool);
  if (pool == NULL)
    return FUT_ENOMEM;
  fut_err err =
      fut_executor_init(&pool->executor, &pool_ops, options->pool.max_pending);
  if (err != FUT_OK)
    goto free_pool;
  err = fut_shared_new(&pool->shared, settings_at + options->settings_size);
  if (err != FUT_OK)
    goto fini_executor;
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
  err = fut_crew_init(&pool->crew, pool->segment, pool->shared.fd,
                      pool->program, workers);
  if (err != FUT_OK)
    goto free_program;
  fut_slots_init(&pool->slots, pool->segment);
  fut_mutex_init(&pool->mutex);
  atomic_init(&pool->wanted, false);
  pool->respawn = options->respawn;
  pool->start = pool->look = false;
  pool->no_start = FUT_POLL;
  pool->wake_at = FUT_NEVER;
  atomic_init(&pool->keepers, 2);
  pool->joinable = true;
  pool->progress = (fut_progress){.executor = &pool->executor,
                                  .step = progress_step,
                                  .watch = progress_watch,
                                  .crowded = progress_crowded};
  err = fut_thread_start(&pool->keeper, keeper_main, pool);
  if (err != FUT_OK)
    goto fini_crew;
  fut_progress_join(&pool->progress);
  *executor = &pool->executor;
  return FUT_OK;

fini_crew:
  fut_mutex_fini(&pool->mutex);
  fut_crew_fini(&pool->crew);
free_program:
  fut_memory_free(pool->program);
free_fds:
  fut_memory_free(pool->fds);
free_queue:
  fut_queue_free(pool->queue);
close_shared:
  fut_shared_close(&pool->shared);
fini_executor:
  fut_executor_fini(&pool->executor);
free_pool:
  fut_memory_free(pool);
  return err;
}
