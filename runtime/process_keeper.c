/* process_keeper.c - the thread that starts and buries worker processes, and
   watches the times */
#include "process_parent.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define KILL_NS 1000000000 /* how long a task may go on after a stop */
#define AGAIN_NS 10000000  /* how often a stop is asked for again */
#define LOOK_NS 50000000   /* how often to look after workers that were woken */
#define RETRY_NS 1000000000 /* when to try again to start a worker */
#define GIVE_UP_NS                                                             \
  2000000000             /* how long a worker may take to hear of the end */
#define START_LIMIT 3    /* starts in a row that may come to nothing, */
#define KILLED_LIMIT 100 /* or be ended so by somebody else's SIGKILL */

/* --- breaking ----------------------------------------------------------------
 */

/* Fail all that is unfinished and end the workers. Assumes mutex held. */
static void break_pool(fut_process_pool *pool, const char *why) {
  if (!fut_executor_break(&pool->executor, why))
    return;
  fut_queue_close(pool->queue);
  fut_task *task;
  while ((task = fut_process_take_any(pool)) != NULL)
    fut_task_drop(task, FUT_EBROKENPROCESSES, why);
  for (unsigned at = 0; at < FUT_SLOTS; at++)
    if (pool->slots.handed[at].task)
      fut_slots_abandon(&pool->slots, at, FUT_EBROKENPROCESSES, why);
  fut_deadline now = fut_clock_now();
  for (unsigned i = 0; i < pool->children.size; i++) {
    fut_child *member = &pool->children.child[i];
    member->expected = true;
    member->kill_at = now + KILL_NS;
    fut_children_signal(&pool->children, i, SIGTERM);
  }
  fut_process_see_to_end(pool);
}

/* --- burying -----------------------------------------------------------------
 */

/* Whether the word of a task's slot is what it can be, while the worker in seat
   is gone. */
static bool sane(const fut_process_pool *pool, unsigned at, unsigned gone) {
  uint64_t word = fut_slots_word(&pool->slots, at);
  if (fut_slot_generation(word) != pool->slots.handed[at].generation)
    return false;
  if (fut_slot_state(word) == FUT_SLOT_READY)
    return true;
  unsigned seat = fut_slot_seat(word);
  return fut_slot_state(word) != FUT_SLOT_FREE && seat < pool->children.size &&
         seat != gone && pool->children.child[seat].started;
}

/* Collect what the worker has done, and return the slot of the task that it had
   not; FUT_SLOTS: none. Assumes mutex held. */
static unsigned last_task(fut_process_pool *pool, unsigned seat) {
  fut_slots *slots = &pool->slots;
  unsigned victim = FUT_SLOTS;
  fut_children_collect(&pool->children, seat, slots);
  for (unsigned at = 0; at < FUT_SLOTS; at++) {
    if (slots->handed[at].task == NULL || sane(pool, at, seat))
      continue;
    if (fut_slots_done(slots, at, seat)) /* it could not say so */
      fut_children_collect_slot(&pool->children, seat, slots, at);
    else if (victim == FUT_SLOTS)
      victim = at;
    else
      fut_slots_abandon(slots, at, FUT_EBROKENPROCESSES,
                        "a worker has written where it should not");
  }
  return victim;
}

/* Write what the end of a worker is called. */
static void describe(const fut_process_pool *pool, unsigned seat,
                     const fut_process_end *end, char *why, size_t size) {
  fut_seat *place = &pool->segment->seat[seat];
  if (atomic_load(&place->state) == FUT_SEAT_FAILED) {
    place->report[FUT_REPORT_SIZE - 1] = '\0';
    snprintf(why, size, "%s", place->report);
    return;
  }
  char how[64];
  fut_process_end_text(end, how, sizeof how);
  snprintf(why, size, "worker %ld %s",
           (long)pool->children.child[seat].process.pid, how);
}

/* Decide what the end of a worker means. Assumes mutex held. */
static void bury(fut_process_pool *pool, unsigned seat,
                 const fut_process_end *end) {
  fut_children *children = &pool->children;
  fut_seat *place = &pool->segment->seat[seat];
  bool opened = atomic_load(&place->opened);
  unsigned state = atomic_load(&place->state);
  char why[FUT_REPORT_SIZE + 64];
  describe(pool, seat, end, why, sizeof why);
  unsigned victim = last_task(pool, seat);
  bool expected = children->child[seat].expected ||
                  (state == FUT_SEAT_RETIRED && victim == FUT_SLOTS);
  if (victim < FUT_SLOTS) {
    const fut_handed *handed = &pool->slots.handed[victim];
    fut_slots_abandon(&pool->slots, victim,
                      handed->stopping ? handed->why : FUT_EBROKENPROCESSES,
                      handed->stopping ? NULL : why);
  }
  fut_slots_lose(&pool->slots);
  fut_children_leave(children, seat);
  bool killed = end->how == FUT_END_SIGNAL && end->code == SIGKILL;
  if (opened)
    children->failures = 0;
  else if (!expected)
    children->failures += killed ? 1 : KILLED_LIMIT / START_LIMIT + 1;
  if (!expected && (state == FUT_SEAT_FAILED || !pool->respawn ||
                    children->failures >= KILLED_LIMIT))
    break_pool(pool, why);
}

static void bury_all(fut_process_pool *pool) {
  for (unsigned i = 0; i < pool->children.size; i++) {
    fut_child *member = &pool->children.child[i];
    fut_process_end end;
    if (!member->started)
      continue;
    fut_process_lock(pool); /* who signals it holds it too */
    if (fut_process_bury(&member->process, &end))
      bury(pool, i, &end);
    fut_process_unlock(pool);
  }
}

/* --- starting ----------------------------------------------------------------
 */

static void start_worker(fut_process_pool *pool, fut_deadline now) {
  fut_process_lock(pool);
  bool wanted = pool->start && now >= pool->no_start;
  if (wanted)
    pool->start = false;
  wanted = wanted && !fut_executor_broken(&pool->executor) &&
           fut_slots_waiting(&pool->slots) > 0;
  unsigned seat =
      wanted ? fut_children_take_seat(&pool->children) : pool->children.size;
  fut_process_unlock(pool);
  if (seat == pool->children.size)
    return;
  int failed = fut_children_start(&pool->children, seat);
  fut_process_lock(pool);
  if (failed) {
    fut_children_leave(&pool->children, seat);
    pool->no_start = now + RETRY_NS;
    char why[320];
    snprintf(why, sizeof why, "cannot start %s: %s", pool->program,
             strerror(failed));
    if (pool->children.present == 0)
      break_pool(pool, why);
  } else {
    pool->children.child[seat].started = true;
    if (pool->children.child[seat].expected) /* broken meanwhile, or killed */
      fut_children_signal(&pool->children, seat, SIGKILL);
  }
  fut_process_unlock(pool);
}

/* --- times -------------------------------------------------------------------
 */

bool fut_process_stop(fut_process_pool *pool, unsigned at, fut_err why,
                      fut_deadline now) {
  if (!fut_slots_stop(&pool->slots, at, why, now + KILL_NS))
    return false;
  unsigned seat = fut_slot_seat(fut_slots_word(&pool->slots, at));
  if (seat < pool->children.size && pool->children.child[seat].started)
    fut_event_set(&pool->children.child[seat].stop);
  return true;
}

/* See to the time of the task in a slot; return when to look again. Assumes
   mutex held. */
static fut_deadline see_to_task(fut_process_pool *pool, unsigned at,
                                fut_deadline now) {
  fut_handed *handed = &pool->slots.handed[at];
  if (!handed->stopping && handed->limit > now)
    return FUT_NEVER;
  if (handed->stopping && handed->kill_at <= now) {
    unsigned seat = fut_slot_seat(fut_slots_word(&pool->slots, at));
    if (fut_slots_take(&pool->slots, at) && seat < pool->children.size) {
      pool->children.child[seat].expected = true;
      fut_children_signal(&pool->children, seat, SIGKILL);
      return FUT_NEVER; /* its end comes */
    }
  } else if (fut_process_stop(
                 pool, at, handed->stopping ? handed->why : FUT_ETIMEDOUT, now))
    return now + AGAIN_NS;
  fut_process_look_at(pool, at);
  return handed->task ? now + AGAIN_NS : FUT_NEVER;
}

/* Kill the worker in a seat, if it should have ended by now. */
static fut_deadline see_to_member(fut_process_pool *pool, unsigned seat,
                                  fut_deadline now) {
  fut_child *member = &pool->children.child[seat];
  if (!member->started)
    return FUT_NEVER;
  bool broken = fut_executor_broken(&pool->executor) != NULL;
  if (pool->phase == FUT_PHASE_CLOSED && member->kill_at == FUT_NEVER &&
      !member->expected)
    member->kill_at = now + GIVE_UP_NS; /* for one that is stopped, say */
  if (member->kill_at > now)
    return member->kill_at;
  /* its own end may take long, if it has begun */
  if (broken ||
      atomic_load(&pool->segment->seat[seat].state) != FUT_SEAT_RETIRED)
    fut_children_signal(&pool->children, seat, SIGKILL);
  member->expected = true;
  member->kill_at = FUT_NEVER;
  return FUT_NEVER;
}

/* Stop tasks whose time is up, kill workers that do not stop theirs. Return
   when to look again. Assumes mutex held. */
static fut_deadline see_to_times(fut_process_pool *pool, fut_deadline now) {
  fut_deadline again = fut_process_next_limit(pool);
  for (unsigned at = 0;
       at < FUT_SLOTS && pool->slots.telling + pool->slots.stopping > 0; at++)
    if (pool->slots.handed[at].task) {
      fut_deadline next = see_to_task(pool, at, now);
      again = next < again ? next : again;
    }
  for (unsigned i = 0; i < pool->children.size; i++) {
    fut_deadline next = see_to_member(pool, i, now);
    again = next < again ? next : again;
  }
  if (again <= now) /* a limit just seen */
    again = now + AGAIN_NS;
  if (pool->start && pool->no_start < again)
    again = pool->no_start;
  return again;
}

/* --- its life ----------------------------------------------------------------
 */

/* Look who has come of those that were woken, and for lost tickets. Assumes
   mutex held. */
static void look(fut_process_pool *pool, fut_deadline now) {
  fut_slots_lose(&pool->slots);
  pool->look = false;
  atomic_store(&pool->wanted, true); /* for what was left to whom we look for */
  fut_process_see_to_workers(pool, now);
}

/* Whether no worker is left, nor will be. Assumes mutex held. */
static bool over(const fut_process_pool *pool) {
  return pool->children.present == 0 && pool->phase == FUT_PHASE_CLOSED;
}

/* Sleep until a worker rings, one ends, or deadline. */
static void sleep_keeper(fut_process_pool *pool, fut_deadline deadline) {
  unsigned count = 1;
  pool->fds[0] =
      (struct pollfd){.fd = pool->children.event.readable, .events = POLLIN};
  for (unsigned i = 0; i < pool->children.size; i++)
    if (pool->children.child[i].started)
      pool->fds[count++] = (struct pollfd){
          .fd = pool->children.child[i].process.watch, .events = POLLIN};
  int64_t left = fut_deadline_left(deadline);
  int64_t ms = left == INT64_MAX ? -1 : left / 1000000 + (left > 0);
  poll(pool->fds, count, ms > INT_MAX ? INT_MAX : (int)ms);
  atomic_store(&pool->segment->parent_asleep, false);
  fut_event_clear(&pool->children.event);
}

void fut_process_keep(void *argument) {
  fut_process_pool *pool = argument;
  char name[64];
  snprintf(name, sizeof name, "%s-keeper", pool->segment->name);
  fut_thread_name(name);
  fut_deadline look_at = FUT_NEVER;
  for (;;) {
    /* first say that we sleep, then look: who comes later rings */
    atomic_store(&pool->segment->parent_asleep, true);
    fut_process_step(pool, FUT_STEP_OTHER);
    fut_process_lock(pool);
    fut_deadline now = fut_clock_now();
    if (look_at <= now) {
      look(pool, now);
      look_at = FUT_NEVER;
    }
    if (pool->look && look_at == FUT_NEVER)
      look_at = now + LOOK_NS;
    pool->wake_at = see_to_times(pool, now);
    if (look_at < pool->wake_at)
      pool->wake_at = look_at;
    fut_deadline wake_at = pool->wake_at;
    bool end = over(pool);
    fut_process_unlock(pool);
    if (end)
      break;
    sleep_keeper(pool, wake_at);
    bury_all(pool);
    start_worker(pool, fut_clock_now());
  }
  fut_progress_leave(&pool->progress);
  fut_future_end(pool->executor.terminated, FUT_FINISHED);
  fut_process_leave(pool);
}
