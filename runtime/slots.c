/* slots.c - the tasks that a process pool has handed out, as the parent sees
   them */
#include "slots.h"

#include "check.h"
#include "executor.h"
#include "slots_many.h"

#include <math.h>
#include <string.h>

#define PUBLISH 8 /* tickets at a time */

void fut_slots_init(fut_slots *slots, fut_segment *segment) {
  slots->segment = segment;
  slots->used = slots->telling = slots->stopping = slots->many = 0;
  slots->lost = slots->sorted = false;
  slots->fed = slots->told = slots->places = 0;
  slots->lowest = INFINITY;
  slots->completed = slots->failed = slots->cancelled = 0;
  slots->queue_time = 0;
  slots->many_took = 0;
  slots->back = (fut_heap){NULL};
  slots->free = 1;
  for (unsigned i = 0; i < FUT_SLOTS; i++)
    slots->handed[i] =
        (fut_handed){.next = (uint16_t)(i + 1 < FUT_SLOTS ? i + 2 : 0)};
}

/* Write the call into the slot; what does not fit comes by a stream, when a
   worker asks for it. */
static void write_call(fut_slot *slot, const fut_call *call) {
  size_t name_size = call->name ? strlen(call->name) : 0;
  if (name_size > FUT_SLOT_SPACE / 4)
    name_size = FUT_SLOT_SPACE / 4;
  slot->name_size = (uint16_t)name_size;
  atomic_store_explicit(&slot->size, call->size,
                        memory_order_relaxed); /* published by the word */
  if (name_size > 0)
    memcpy(slot->bytes, call->name, name_size);
  if (call->size > 0 && call->size <= FUT_SLOT_SPACE - name_size)
    memcpy(slot->bytes + name_size, call->bytes, call->size);
}

/* Return how many tickets were not taken, stale ones included. */
static unsigned tickets_left(const fut_slots *slots) {
  fut_tickets *tickets = &slots->segment->tickets;
  unsigned taken = atomic_load(&tickets->taken);
  unsigned left = slots->fed - taken;
  if (left > FUT_SLOTS) { /* a worker has lost its mind */
    atomic_compare_exchange_strong(&tickets->taken, &taken, slots->fed);
    left = 0;
  }
  return left;
}

bool fut_slots_room(fut_slots *slots) {
  /* stale tickets take places too, until workers have passed over them */
  if (slots->places == 0)
    slots->places = FUT_SLOTS - tickets_left(slots);
  return slots->free != 0 && slots->places > 0;
}

static void feed(fut_slots *slots, uint64_t ticket) {
  fut_tickets *tickets = &slots->segment->tickets;
  /* relaxed: published by fed */
  atomic_store_explicit(&tickets->words[slots->fed % FUT_SLOTS], ticket,
                        memory_order_relaxed);
  slots->places--;
  if (++slots->fed - slots->told >= PUBLISH)
    fut_slots_publish(slots);
}

void fut_slots_publish(fut_slots *slots) {
  if (slots->told == slots->fed)
    return;
  slots->told = slots->fed;
  atomic_store(&slots->segment->tickets.fed, slots->fed);
}

void fut_slots_lose(fut_slots *slots) {
  slots->lost = true;
  atomic_store(&slots->segment->lost, true);
}

bool fut_slots_hand_out(fut_slots *slots, fut_task *task, bool tell) {
  unsigned things = 0;
  if (task->many && (things = fut_task_kind_of(task)->lend(task)) == 0) {
    fut_future_end(&task->future, FUT_FINISHED);
    fut_future_release(&task->future, NULL);
    return false;
  }
  unsigned at = slots->free - 1u;
  fut_handed *handed = &slots->handed[at];
  fut_slot *slot = &slots->segment->slots[at];
  slots->free = handed->next;
  slots->used++;
  handed->task = task;
  handed->generation++;
  handed->started = false;
  handed->stopping = false;
  handed->why = FUT_OK;
  handed->limit = handed->kill_at = FUT_NEVER;
  handed->room = NULL;
  handed->size = handed->sent = handed->received = 0;
  task->place = at + 1;
  if (task->priority < slots->lowest)
    slots->lowest = task->priority;
  fut_call call = fut_task_kind_of(task)->call(task);
  write_call(slot, &call);
  slot->outcome = FUT_OUTCOME_VALUES;
  handed->tell = tell || task->timeout != FUT_NEVER;
  slot->tell = handed->tell;
  slots->telling += handed->tell;
  fut_slots_share(slots, at, things);
  atomic_store_explicit(&slot->started, 0, memory_order_relaxed);
  /* relaxed, both: published by the word */
  atomic_store_explicit(&slot->watched, fut_future_watched(&task->future),
                        memory_order_relaxed);
  uint64_t word = fut_slot_word(handed->generation, FUT_SLOT_READY, 0);
  /* release: partner of the worker's claim */
  atomic_store_explicit(&slot->word, word, memory_order_release);
  feed(slots, fut_slot_word(handed->generation, FUT_SLOT_READY, at));
  return true;
}

/* Whether any task is READY, with a ticket or without. */
static bool any_ready(const fut_slots *slots) {
  for (unsigned at = 0; at < FUT_SLOTS && slots->used > 0; at++)
    if (slots->handed[at].task &&
        fut_slot_state(fut_slots_word(slots, at)) == FUT_SLOT_READY)
      return true;
  return false;
}

unsigned fut_slots_waiting(fut_slots *slots) {
  unsigned waiting = tickets_left(slots);
  if (waiting > slots->used) /* stale ones */
    waiting = slots->used;
  if (waiting == 0 && slots->lost) {
    slots->lost = any_ready(slots);
    waiting = slots->lost;
    atomic_store(&slots->segment->lost, slots->lost);
  }
  if (waiting == 0)
    slots->lowest = INFINITY;
  return waiting;
}

fut_task *fut_slots_release(fut_slots *slots, unsigned at) {
  fut_handed *handed = &slots->handed[at];
  fut_task *task = handed->task;
  slots->telling -= handed->tell;
  slots->stopping -= handed->stopping;
  slots->many -= handed->things > 1;
  handed->task = NULL;
  handed->next = slots->free;
  slots->free = (uint16_t)(at + 1);
  slots->used--;
  task->place = 0;
  /* relaxed: nobody takes a slot that is free */
  atomic_store_explicit(&slots->segment->slots[at].word,
                        fut_slot_word(handed->generation, FUT_SLOT_FREE, 0),
                        memory_order_relaxed);
  return task;
}

fut_task *fut_slots_take_back(fut_slots *slots, unsigned at) {
  uint64_t ready =
      fut_slot_word(slots->handed[at].generation, FUT_SLOT_READY, 0);
  if (!atomic_compare_exchange_strong(
          &slots->segment->slots[at].word, &ready,
          fut_slot_word(slots->handed[at].generation, FUT_SLOT_FREE, 0)))
    return NULL;
  return fut_slots_release(slots, at);
}

void fut_slots_recall(fut_slots *slots) {
  /* the tickets first: they are all stale then */
  fut_slots_publish(slots);
  fut_tickets *tickets = &slots->segment->tickets;
  unsigned taken = atomic_load(&tickets->taken);
  while (!atomic_compare_exchange_weak(&tickets->taken, &taken, slots->fed))
    ;
  for (unsigned at = 0; at < FUT_SLOTS && slots->used > 0; at++) {
    fut_task *task =
        slots->handed[at].task ? fut_slots_take_back(slots, at) : NULL;
    if (task)
      fut_heap_push(&slots->back, task);
  }
  slots->lowest = INFINITY;
}

void fut_slots_started(fut_slots *slots, unsigned at) {
  fut_handed *handed = &slots->handed[at];
  if (handed->started)
    return;
  handed->started = true;
  fut_task_left(handed->task);
  fut_future_start(&handed->task->future);
  fut_slot *slot = &slots->segment->slots[at];
  int64_t started = atomic_load(&slot->started);
  if (started > handed->task->submitted)
    slots->queue_time += (uint64_t)(started - handed->task->submitted);
  if (handed->task->timeout == FUT_NEVER)
    return;
  fut_deadline now = fut_clock_now();
  if (started <= 0 || started > now)
    started = now;
  handed->limit = handed->task->timeout < FUT_NEVER - started
                      ? started + handed->task->timeout
                      : FUT_NEVER;
}

void fut_slots_look(fut_slots *slots) {
  if (slots->telling == 0)
    return;
  for (unsigned at = 0; at < FUT_SLOTS; at++)
    if (slots->handed[at].task && slots->handed[at].tell &&
        fut_slot_state(fut_slots_word(slots, at)) == FUT_SLOT_RUNNING)
      fut_slots_started(slots, at);
}

bool fut_slots_stop(fut_slots *slots, unsigned at, fut_err why,
                    fut_deadline kill_at) {
  fut_handed *handed = &slots->handed[at];
  uint64_t word = fut_slots_word(slots, at);
  do
    if (fut_slot_state(word) != FUT_SLOT_RUNNING)
      return false;
  while (!atomic_compare_exchange_weak(&slots->segment->slots[at].word, &word,
                                       word | FUT_SLOT_STOP));
  fut_slots_started(slots, at);
  if (!handed->stopping) {
    handed->stopping = true;
    slots->stopping++;
    handed->why = why;
    handed->kill_at = kill_at;
  }
  return true;
}

bool fut_slots_take(fut_slots *slots, unsigned at) {
  uint64_t word = fut_slots_word(slots, at);
  do
    if (fut_slot_state(word) != FUT_SLOT_RUNNING ||
        fut_slot_generation(word) != slots->handed[at].generation)
      return false;
  while (!atomic_compare_exchange_weak(
      &slots->segment->slots[at].word, &word,
      fut_slot_word(slots->handed[at].generation, FUT_SLOT_TAKEN,
                    fut_slot_seat(word))));
  return true;
}

bool fut_slots_done(const fut_slots *slots, unsigned at, unsigned seat) {
  if (at >= FUT_SLOTS || slots->handed[at].task == NULL)
    return false;
  uint64_t word = fut_slots_word(slots, at);
  return fut_slot_state(word) == FUT_SLOT_DONE && fut_slot_seat(word) == seat &&
         fut_slot_generation(word) == slots->handed[at].generation;
}

/* Have the outcome where the task wants it: false if memory ran out, or the
   worker has lost its mind. */
static bool receive(fut_slots *slots, unsigned at) {
  fut_handed *handed = &slots->handed[at];
  if (handed->size > 0)
    return handed->room && handed->received == handed->size;
  const fut_slot *slot = &slots->segment->slots[at];
  uint64_t size = atomic_load(&slot->size); /* once: a worker may write it */
  if (size > FUT_SLOT_SPACE)
    return false;
  unsigned char *room =
      fut_task_kind_of(handed->task)->outcome(handed->task, (size_t)size);
  if (room && size > 0)
    memcpy(room, slot->bytes, (size_t)size);
  return room != NULL;
}

void fut_slots_collect(fut_slots *slots, unsigned at) {
  fut_slots_started(slots, at);
  fut_handed *handed = &slots->handed[at];
  fut_task *task = handed->task;
  if (task->many) {
    fut_slots_collect_many(slots, at);
    return;
  }
  unsigned outcome = slots->segment->slots[at].outcome;
  if (outcome == FUT_OUTCOME_STOPPED) {
    fut_slots_abandon(slots, at, handed->why, NULL);
    return;
  }
  bool received = receive(slots, at);
  bool values = received && outcome == FUT_OUTCOME_VALUES;
  fut_slots_release(slots, at);
  slots->completed += values;
  slots->failed += !values;
  if (received)
    fut_future_end(&task->future,
                   outcome == FUT_OUTCOME_VALUES ? FUT_FINISHED : FUT_FAILED);
  else
    fut_task_kind_of(task)->fail(task, FUT_ENOMEM, NULL);
  fut_future_release(&task->future, NULL);
}

void fut_slots_abandon(fut_slots *slots, unsigned at, fut_err why,
                       const char *message) {
  fut_slots_started(slots, at);
  if (slots->handed[at].task->many) {
    fut_slots_salvage_many(slots, at, why, message);
    return;
  }
  fut_task *task = fut_slots_release(slots, at);
  slots->cancelled += why == FUT_OK;
  slots->failed += why != FUT_OK;
  if (why == FUT_OK)
    fut_future_end(&task->future, FUT_CANCELLED);
  else
    fut_task_kind_of(task)->fail(task, why, message);
  fut_future_release(&task->future, NULL);
}
