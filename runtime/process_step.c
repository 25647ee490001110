/* process_step.c - what the parent of worker processes does, over and over */
#include "pool.h"
#include "process_parent.h"

#define RELIEVE_NS 1000000 /* so long a worker keeps what it has not begun */
#define AHEAD_NS 500000    /* of tasks that are many so much is handed out */
#define STREAK 4           /* steps in a row make somebody who only submits */
#define STREAK_NS 100000
#define LEAST_PATIENCE 3
#define MOST_PATIENCE 32

/* --- handing out -------------------------------------------------------------
 */

/* Return the next task in the order of priority and submission, or NULL. What
   was taken back is older than what is in the queue. */
static fut_task *next_task(fut_process_pool *pool) {
  fut_slots *slots = &pool->slots;
  fut_task *task;
  while (fut_queue_urgent(pool->queue) &&
         (task = fut_queue_pull_urgent(pool->queue)) != NULL)
    fut_heap_push(&slots->back, task);
  if (slots->back.top && slots->back.top->priority >= 0)
    return fut_heap_pop(&slots->back);
  uint64_t ticket;
  if (fut_link_take(&pool->ahead, &ticket))
    return (fut_task *)(uintptr_t)ticket;
  task = fut_queue_pull(pool->queue, &pool->ahead, 1);
  if (task)
    return task;
  if ((task = fut_queue_pull_low(pool->queue)) != NULL)
    fut_heap_push(&slots->back, task);
  return slots->back.top ? fut_heap_pop(&slots->back) : NULL;
}

/* Whether tasks wait to be handed out, cancelled ones included. */
static bool more(const fut_process_pool *pool) {
  return pool->slots.back.top || fut_link_count(&pool->ahead) > 0 ||
         fut_queue_count(pool->queue) > 0;
}

/* Whether enough is handed out to go on with: how much is lent at a time turns
   out only as it is done. */
static bool sated(fut_process_pool *pool, unsigned each) {
  return fut_slots_waiting(&pool->slots) >= each * pool->children.size;
}

/* Return how much of tasks that are many to hand out for each worker. */
static unsigned ahead(const fut_process_pool *pool) {
  int64_t took = pool->slots.many_took;
  int64_t each = took > 0 ? AHEAD_NS / took : 2;
  int64_t most = FUT_SLOTS / 2 / pool->children.size;
  each = each < most ? each : most;
  return each > 2 ? (unsigned)each : 2;
}

/* Whether no more are to be handed out now. */
static bool full(fut_process_pool *pool) {
  fut_slots *slots = &pool->slots;
  /* where priorities matter few are handed out, to be recalled again */
  return !fut_slots_room(slots) || (slots->sorted && sated(pool, 2));
}

/* Hand out what can be. If there is more, workers ask for it when they have
   fewer than pool->hungry. */
static void hand_out(fut_process_pool *pool) {
  fut_slots *slots = &pool->slots;
  bool tell = pool->executor.room.limit != FUT_UNLIMITED;
  unsigned hungry = FUT_SLOTS / 4;
  pool->held_up = false;
  while (more(pool)) {
    /* nothing plain goes before what is handed out, unless that is low */
    if (full(pool) && !fut_queue_urgent(pool->queue) && slots->lowest >= 0 &&
        !(slots->back.top && slots->back.top->priority > slots->lowest)) {
      pool->held_up = true;
      break;
    }
    fut_task *task = next_task(pool);
    if (task == NULL)
      break;
    if (fut_future_state(&task->future) != FUT_PENDING)
      fut_executor_refuse(task, FUT_OK); /* cancelled */
    else if (task->priority > slots->lowest && fut_slots_waiting(slots) > 0) {
      fut_heap_push(&slots->back,
                    task); /* it goes before what was handed out */
      fut_slots_recall(slots);
      slots->sorted = true;
    } else if (full(pool)) {
      fut_heap_push(&slots->back, task);
      pool->held_up = true;
      break;
    } else if (task->many && sated(pool, ahead(pool))) {
      fut_heap_push(&slots->back, task);
      hungry = ahead(pool) * pool->children.size / 2;
      pool->held_up = true;
      break;
    } else
      fut_slots_hand_out(slots, task, tell);
  }
  fut_slots_publish(slots);
  pool->hungry = hungry;
  if (pool->lent != (slots->many > 0)) {
    pool->lent = !pool->lent;
    atomic_store(&pool->segment->lent, pool->lent);
  }
}

/* Whether a worker could do what others have not come to: it has nothing to do,
   and nothing else waits. */
static bool idle(fut_process_pool *pool) {
  if (pool->slots.many == 0 || more(pool) ||
      fut_slots_waiting(&pool->slots) > 0 ||
      fut_executor_broken(&pool->executor))
    return false;
  bool found = pool->children.present < pool->children.size;
  for (unsigned i = 0; i < pool->children.size && !found; i++) {
    unsigned state = atomic_load(&pool->segment->seat[i].state);
    found = state == FUT_SEAT_ASLEEP || state == FUT_SEAT_SEARCHING;
  }
  return found;
}

/* Take back what workers that are at many things have not come to, if others
   are idle. */
static void relieve(fut_process_pool *pool) {
  if (!idle(pool))
    return;
  fut_deadline before = fut_clock_now() - RELIEVE_NS;
  for (unsigned at = 0; at < FUT_SLOTS && pool->slots.many > 0; at++)
    if (fut_slots_cut(&pool->slots, at, before)) {
      hand_out(pool);
      break;
    }
}

/* --- what submitters leave in the queue --------------------------------------
 */

static void set_backlog(fut_process_pool *pool, bool backlog) {
  if (backlog == atomic_load(&pool->backlog))
    return;
  if (backlog) {
    atomic_store(&pool->segment->backlog, true);
    atomic_store(&pool->backlog, true);
    return;
  }
  atomic_store(&pool->backlog, false);
  atomic_store(&pool->segment->backlog, false);
  if (more(pool)) /* who submitted it relied on the backlog */
    atomic_store(&pool->wanted, true);
}

/* Whether somebody will look for a backlog in time: a worker that searches, or
   all when they have done what they have. */
static bool attended(fut_process_pool *pool) {
  bool all = pool->children.present == pool->children.size;
  bool busy = all && fut_slots_waiting(&pool->slots) > pool->children.size;
  for (unsigned i = 0; i < pool->children.size; i++) {
    unsigned state = atomic_load(&pool->segment->seat[i].state);
    if (state == FUT_SEAT_SEARCHING && !pool->children.child[i].slow)
      return true;
    busy = busy && state == FUT_SEAT_BUSY;
  }
  return busy;
}

/* Return how many tasks of priority 0 submitters may leave in the queue before
   they make a step. */
static unsigned allowance(fut_process_pool *pool) {
  fut_slots *slots = &pool->slots;
  if (slots->lowest < 0 || slots->sorted)
    return 0;
  if (pool->held_up) /* workers ask when they have few */
    return MOST_PATIENCE;
  if (pool->streak < STREAK || pool->executor.room.limit != FUT_UNLIMITED ||
      pool->phase > 0 || fut_executor_broken(&pool->executor))
    return 0;
  set_backlog(pool, true); /* before looking: as workers do it before sleep */
  if (!attended(pool))
    return 0;
  if (!pool->look) { /* should whoever searches be stopped now */
    pool->look = true;
    fut_process_ring(pool);
  }
  unsigned half = fut_slots_waiting(slots) / 2;
  return half < LEAST_PATIENCE  ? LEAST_PATIENCE
         : half < MOST_PATIENCE ? half
                                : MOST_PATIENCE;
}

/* Say whether something is left in the queue, or may be. */
static void tell_backlog(fut_process_pool *pool, bool submitting) {
  unsigned some = submitting ? allowance(pool) : 0;
  bool left = more(pool);
  if (left && !pool->held_up) /* it has come since, relying on the backlog */
    atomic_store(&pool->wanted, true);
  unsigned hungry = left ? pool->hungry : 0;
  if (pool->told_hungry != hungry) {
    pool->told_hungry = hungry;
    atomic_store(&pool->segment->hungry, hungry);
  }
  /* relaxed: what it allows depends on the backlog */
  atomic_store_explicit(&pool->patience, some, memory_order_relaxed);
  set_backlog(pool, left || some > 0);
}

bool fut_process_patient(fut_process_pool *pool) {
  /* relaxed: if two count as one, the step comes a little later */
  unsigned left = atomic_load_explicit(&pool->patience, memory_order_relaxed);
  if (left == 0)
    return false;
  atomic_store_explicit(&pool->patience, left - 1, memory_order_relaxed);
  return atomic_load(&pool->backlog);
}

void fut_process_recall(fut_process_pool *pool, bool unwanted) {
  fut_slots *slots = &pool->slots;
  for (unsigned at = 0; at < FUT_SLOTS && slots->used > 0; at++) {
    fut_task *task = slots->handed[at].task;
    if (task == NULL || !task->many ||
        (unwanted && !fut_task_kind_of(task)->unwanted(task)))
      continue;
    if ((task = fut_slots_take_back(slots, at)) != NULL)
      fut_executor_refuse(task, FUT_OK);
    else
      fut_slots_cut(slots, at, FUT_NEVER);
  }
}

fut_task *fut_process_take_any(fut_process_pool *pool) {
  if (pool->slots.used > 0 && fut_slots_waiting(&pool->slots) > 0)
    fut_slots_recall(&pool->slots);
  return next_task(pool);
}

/* --- seeing to it that it goes on --------------------------------------------
 */

void fut_process_ring(fut_process_pool *pool) {
  fut_event_set(&pool->children.event);
}

void fut_process_see_to_workers(fut_process_pool *pool, fut_deadline now) {
  unsigned waiting = fut_slots_waiting(&pool->slots);
  if (waiting == 0 || fut_executor_broken(&pool->executor))
    return;
  fut_children_answer answer = fut_children_wake(&pool->children, waiting, now);
  bool ring = false;
  if (answer == FUT_CHILDREN_START && !pool->start)
    ring = pool->start = true;
  if (answer != FUT_CHILDREN_BUSY && !pool->look)
    ring = pool->look = true; /* the keeper looks a little later who came */
  if (ring)
    fut_process_ring(pool);
}

void fut_process_see_to_end(fut_process_pool *pool) {
  if (!fut_queue_closed(pool->queue))
    return;
  unsigned phase = FUT_PHASE_DRAINING;
  if (!more(pool) && pool->slots.used == 0)
    phase = FUT_PHASE_CLOSED;
  if (pool->phase >= phase)
    return;
  pool->phase = phase;
  atomic_store(&pool->segment->phase, phase);
  if (phase == FUT_PHASE_CLOSED) {
    fut_children_wake_all(&pool->children);
    fut_process_ring(pool);
  }
}

fut_deadline fut_process_next_limit(fut_process_pool *pool) {
  const fut_slots *slots = &pool->slots;
  fut_deadline first = FUT_NEVER;
  for (unsigned at = 0; at < FUT_SLOTS && slots->telling > 0; at++) {
    const fut_handed *handed = &slots->handed[at];
    if (handed->task && !handed->stopping && handed->limit < first)
      first = handed->limit;
  }
  bool relief = idle(pool);
  for (unsigned at = 0; relief && at < FUT_SLOTS; at++) {
    fut_deadline since = fut_slots_since(slots, at);
    if (since < first - RELIEVE_NS)
      first = since + RELIEVE_NS;
  }
  return first;
}

void fut_process_look_at(fut_process_pool *pool, unsigned at) {
  uint64_t word = fut_slots_word(&pool->slots, at);
  unsigned seat = fut_slot_seat(word);
  if (fut_slot_state(word) == FUT_SLOT_RUNNING)
    fut_slots_started(&pool->slots, at);
  if (fut_slot_state(word) != FUT_SLOT_DONE || seat >= pool->children.size)
    return;
  fut_children_collect(&pool->children, seat, &pool->slots);
  if (fut_slots_done(&pool->slots, at, seat)) /* it was not told yet */
    fut_children_collect_slot(&pool->children, seat, &pool->slots, at);
}

/* Count steps by submitters between which there is no time for anything else.
 */
static void count_streak(fut_process_pool *pool, fut_stepper stepper) {
  if (stepper == FUT_STEP_SUBMITTING) {
    fut_deadline now = fut_clock_now();
    if (now - pool->submitted > STREAK_NS)
      pool->streak = 0;
    pool->submitted = now;
    if (pool->streak < STREAK)
      pool->streak++;
  } else if (stepper == FUT_STEP_WAITING)
    pool->streak = 0;
}

static void pass(fut_process_pool *pool, fut_stepper stepper) {
  count_streak(pool, stepper);
  for (unsigned i = 0; i < pool->children.size; i++)
    fut_children_collect(&pool->children, i, &pool->slots);
  fut_slots_look(&pool->slots);
  hand_out(pool);
  relieve(pool);
  fut_process_see_to_workers(pool, FUT_POLL);
  tell_backlog(pool, stepper == FUT_STEP_SUBMITTING);
  fut_process_see_to_end(pool);
  if (fut_process_next_limit(pool) < pool->wake_at)
    fut_process_ring(pool);
}

/* --- the mutex ---------------------------------------------------------------
 */

void fut_process_step(fut_process_pool *pool, fut_stepper stepper) {
  /* futures that end may be the last to hold the pool */
  bool held = fut_object_try_hold(&pool->executor.object);
  atomic_store(&pool->wanted, true);
  while (atomic_load(&pool->wanted) && fut_mutex_try_lock(&pool->mutex)) {
    atomic_store(&pool->wanted, false);
    pass(pool, stepper);
    fut_mutex_unlock(&pool->mutex);
    stepper = FUT_STEP_OTHER; /* the next is for whoever left a note */
  }
  if (held)
    fut_object_release(&pool->executor.object);
}

void fut_process_lock(fut_process_pool *pool) { fut_mutex_lock(&pool->mutex); }

void fut_process_unlock(fut_process_pool *pool) {
  fut_mutex_unlock(&pool->mutex);
  if (atomic_load(&pool->wanted))
    fut_process_step(pool, FUT_STEP_OTHER);
}
