/* slots_test.c - the tasks that a process pool has handed out, as the parent
   sees them; here the test is the worker too */
#include "slots.h"

#include "support/call.h"
#include "support/cases.h"
#include "support/seats.h"

#include <stdlib.h>

static fut_segment *segment;
static fut_slots *slots;
static fut_arena *arena;

static int begin(void **unused) {
  (void)unused;
  segment = segment_new(0);
  slots = malloc(sizeof *slots);
  arena = call_arena();
  fut_slots_init(slots, segment);
  return 0;
}

static int end(void **unused) {
  (void)unused;
  fut_arena_close(arena);
  free(slots);
  free(segment);
  return 0;
}

/* Hand a task out; the test keeps a reference. */
static call *hand_out(const char *text, double priority, bool tell) {
  static uint64_t order;
  call *task = call_new(arena, text);
  task->task.priority = priority;
  task->task.order = order++;
  fut_object_hold(&task->task.future.object);
  assert_true(fut_slots_room(slots));
  fut_slots_hand_out(slots, &task->task, tell);
  fut_slots_publish(slots);
  return task;
}

static unsigned slot_of(const call *task) {
  assert_true(task->task.place > 0);
  return task->task.place - 1;
}

/* --- what a worker does ----------------------------------------------------
 */

/* Take the next ticket; FUT_SLOTS: there is none. */
static unsigned take_ticket(void) {
  fut_tickets *tickets = &segment->tickets;
  unsigned taken = atomic_load(&tickets->taken);
  if (taken == atomic_load(&tickets->fed))
    return FUT_SLOTS;
  atomic_store(&tickets->taken, taken + 1);
  return fut_slot_seat(atomic_load(&tickets->words[taken % FUT_SLOTS]));
}

static void set_word(unsigned at, enum fut_slot_state state, unsigned seat) {
  uint32_t generation =
      fut_slot_generation(atomic_load(&segment->slots[at].word));
  atomic_store(&segment->slots[at].word,
               fut_slot_word(generation, state, seat));
}

static void claim(unsigned at, unsigned seat) {
  assert_int_equal(fut_slot_state(atomic_load(&segment->slots[at].word)),
                   FUT_SLOT_READY);
  set_word(at, FUT_SLOT_RUNNING, seat);
}

static void finish(unsigned at, unsigned seat, const char *text,
                   enum fut_outcome outcome) {
  fut_slot *slot = &segment->slots[at];
  atomic_store(&slot->size, strlen(text));
  memcpy(slot->bytes, text, strlen(text));
  slot->outcome = (uint8_t)outcome;
  set_word(at, FUT_SLOT_DONE, seat);
}

/* --- the way of a task -----------------------------------------------------
 */

static void whole_way(void **unused) {
  (void)unused;
  call *task = call_new(arena, "the call");
  task->name = "its name";
  fut_object_hold(&task->task.future.object);
  fut_slots_hand_out(slots, &task->task, false);
  fut_slots_publish(slots);
  unsigned at = slot_of(task);
  const fut_slot *slot = &segment->slots[at];
  assert_int_equal(slot->name_size, 8);
  assert_int_equal(atomic_load(&slot->size), 8);
  assert_memory_equal(slot->bytes, "its namethe call", 16);
  assert_int_equal(fut_slots_waiting(slots), 1);
  assert_int_equal(slots->used, 1);

  assert_int_equal(take_ticket(), at);
  assert_int_equal(take_ticket(), FUT_SLOTS);
  claim(at, 3);
  assert_int_equal(fut_slots_waiting(slots), 0);
  assert_int_equal(call_state(task), FUT_PENDING); /* nobody has looked */
  fut_slots_started(slots, at);
  assert_int_equal(call_state(task), FUT_RUNNING);
  assert_false(fut_slots_done(slots, at, 3));
  assert_null(fut_slots_take_back(slots, at));

  finish(at, 3, "an outcome", FUT_OUTCOME_VALUES);
  assert_false(fut_slots_done(slots, at, 2)); /* another one says so */
  assert_true(fut_slots_done(slots, at, 3));
  fut_slots_collect(slots, at);
  assert_int_equal(call_state(task), FUT_FINISHED);
  assert_true(call_says(task, "an outcome"));
  assert_int_equal(slots->used, 0);
  assert_int_equal(slots->completed, 1);
  assert_false(fut_slots_done(slots, at, 3));
  call_release(task);
}

static void failures(void **unused) {
  (void)unused;
  call *raises = hand_out("a", 0, false), *stopped = hand_out("b", 0, false);
  call *broken = hand_out("c", 0, false), *dropped = hand_out("d", 0, false);
  unsigned at = slot_of(raises);
  claim(at, 0);
  finish(at, 0, "an error", FUT_OUTCOME_ERROR);
  fut_slots_collect(slots, at);
  assert_int_equal(call_state(raises), FUT_FAILED);
  assert_true(call_says(raises, "an error"));
  at = slot_of(stopped);
  claim(at, 0);
  finish(at, 0, "", FUT_OUTCOME_STOPPED);
  fut_slots_collect(slots, at);
  assert_int_equal(call_state(stopped), FUT_CANCELLED);
  at = slot_of(broken);
  claim(at, 0);
  fut_slots_abandon(slots, at, FUT_EBROKENPROCESSES, "it died");
  assert_int_equal(call_state(broken), FUT_FAILED);
  assert_int_equal(broken->why, FUT_EBROKENPROCESSES);
  assert_string_equal(broken->message, "it died");
  at = slot_of(dropped);
  claim(at, 0);
  fut_slots_abandon(slots, at, FUT_OK, NULL);
  assert_int_equal(call_state(dropped), FUT_CANCELLED);
  assert_int_equal(slots->used, 0);
  assert_int_equal(slots->failed, 2);
  assert_int_equal(slots->cancelled, 2);
  call_release(raises);
  call_release(stopped);
  call_release(broken);
  call_release(dropped);
}

static void taken_back(void **unused) {
  (void)unused;
  call *task = hand_out("a", 0, false);
  unsigned at = slot_of(task);
  uint64_t ready = atomic_load(&segment->slots[at].word);
  assert_ptr_equal(fut_slots_take_back(slots, at), &task->task);
  assert_int_equal(task->task.place, 0);
  assert_int_equal(call_state(task), FUT_PENDING);
  assert_int_equal(slots->used, 0);
  /* a worker with the ticket comes too late, also when the slot is used again
   */
  assert_false(
      atomic_compare_exchange_strong(&segment->slots[at].word, &ready, 0));
  fut_slots_hand_out(slots, &task->task, false);
  fut_slots_publish(slots);
  assert_int_equal(slot_of(task), at);
  uint64_t again = atomic_load(&segment->slots[at].word);
  assert_int_equal(fut_slot_state(again), FUT_SLOT_READY);
  assert_int_not_equal(fut_slot_generation(again), fut_slot_generation(ready));
  claim(at, 0);
  finish(at, 0, "x", FUT_OUTCOME_VALUES);
  fut_slots_collect(slots, at);
  call_release(task);
}

static void recalled(void **unused) {
  (void)unused;
  call *tasks[6];
  for (int i = 0; i < 6; i++)
    tasks[i] = hand_out("a", i == 4 ? 2 : 0, false);
  assert_int_equal(take_ticket(), slot_of(tasks[0]));
  claim(slot_of(tasks[0]), 0);
  unsigned running = slot_of(tasks[0]);
  fut_slots_recall(slots);
  assert_int_equal(slots->used, 1);
  assert_int_equal(fut_slots_waiting(slots), 0);
  assert_int_equal(take_ticket(), FUT_SLOTS); /* no stale ones either */
  const int order[] = {4, 1, 2, 3, 5};
  for (int i = 0; i < 5; i++)
    assert_ptr_equal(fut_heap_pop(&slots->back), &tasks[order[i]]->task);
  assert_null(slots->back.top);
  for (int i = 1; i < 6; i++) {
    fut_future_release(&tasks[i]->task.future, arena);
    call_release(tasks[i]);
  }
  fut_slots_abandon(slots, running, FUT_OK, NULL);
  call_release(tasks[0]);
}

static void stopping(void **unused) {
  (void)unused;
  call *task = hand_out("a", 0, false);
  unsigned at = slot_of(task);
  assert_false(fut_slots_stop(slots, at, FUT_OK, 5)); /* not started */
  claim(at, 7);
  assert_true(fut_slots_stop(slots, at, FUT_ETIMEDOUT, 5));
  assert_true(fut_slots_stop(slots, at, FUT_OK, 9)); /* the first one counts */
  uint64_t word = atomic_load(&segment->slots[at].word);
  assert_true(word & FUT_SLOT_STOP);
  assert_int_equal(fut_slot_state(word), FUT_SLOT_RUNNING);
  assert_int_equal(fut_slot_seat(word), 7);
  assert_int_equal(slots->handed[at].kill_at, 5);
  assert_int_equal(slots->stopping, 1);
  finish(at, 7, "", FUT_OUTCOME_STOPPED);
  assert_false(fut_slots_stop(slots, at, FUT_OK, 5)); /* it is done */
  fut_slots_collect(slots, at);
  assert_int_equal(call_state(task), FUT_FAILED);
  assert_int_equal(task->why, FUT_ETIMEDOUT);
  assert_int_equal(slots->stopping, 0);
  call_release(task);
}

static void taken(void **unused) {
  (void)unused;
  call *task = hand_out("a", 0, false);
  unsigned at = slot_of(task);
  assert_false(fut_slots_take(slots, at)); /* no worker has it */
  claim(at, 7);
  uint64_t running = atomic_load(&segment->slots[at].word);
  assert_true(fut_slots_stop(slots, at, FUT_OK, 5));
  assert_true(fut_slots_take(slots, at));
  assert_int_equal(fut_slot_state(atomic_load(&segment->slots[at].word)),
                   FUT_SLOT_TAKEN);
  uint64_t stopped = running | FUT_SLOT_STOP;
  assert_false(atomic_compare_exchange_strong(
      &segment->slots[at].word, &stopped, running)); /* too late for it */
  fut_slots_abandon(slots, at, FUT_OK, NULL);
  assert_int_equal(call_state(task), FUT_CANCELLED);
  call_release(task);

  task = hand_out("a", 0, false);
  at = slot_of(task);
  claim(at, 7);
  finish(at, 7, "x", FUT_OUTCOME_VALUES);
  assert_false(fut_slots_take(slots, at)); /* it was done first */
  fut_slots_collect(slots, at);
  assert_int_equal(call_state(task), FUT_FINISHED);
  call_release(task);
}

static void times(void **unused) {
  (void)unused;
  call *task = call_new(arena, "a");
  task->task.timeout = 1000000000;
  fut_object_hold(&task->task.future.object);
  fut_slots_hand_out(slots, &task->task, false);
  fut_slots_publish(slots);
  unsigned at = slot_of(task);
  assert_true(segment->slots[at].tell); /* its start is to be told */
  assert_int_equal(slots->telling, 1);
  fut_slots_look(slots);
  assert_int_equal(call_state(task), FUT_PENDING);
  claim(at, 0);
  fut_deadline started = fut_clock_now() - 1000;
  atomic_store(&segment->slots[at].started, started);
  fut_slots_look(slots);
  assert_int_equal(call_state(task), FUT_RUNNING);
  assert_int_equal(slots->handed[at].limit, started + 1000000000);
  finish(at, 0, "x", FUT_OUTCOME_VALUES);
  fut_slots_collect(slots, at);
  assert_int_equal(slots->telling, 0);
  call_release(task);
}

/* --- many ------------------------------------------------------------------
 */

static void full(void **unused) {
  (void)unused;
  static call *tasks[FUT_SLOTS];
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < FUT_SLOTS; i++)
      tasks[i] = hand_out("a", 0, false);
    assert_false(fut_slots_room(slots));
    assert_int_equal(fut_slots_waiting(slots), FUT_SLOTS);
    for (int i = 0; i < FUT_SLOTS; i++) {
      unsigned at = take_ticket();
      assert_int_equal(at, slot_of(tasks[i]));
      claim(at, 1);
      finish(at, 1, "x", FUT_OUTCOME_VALUES);
      fut_slots_collect(slots, at);
      assert_true(fut_slots_room(slots));
      call_release(tasks[i]);
    }
    assert_int_equal(slots->used, 0);
  }
}

static void lost_ticket(void **unused) {
  (void)unused;
  call *task = hand_out("a", 0, false);
  assert_int_equal(take_ticket(), slot_of(task)); /* who has it dies */
  assert_int_equal(fut_slots_waiting(slots), 0);
  slots->lost = true;
  assert_int_equal(fut_slots_waiting(slots), 1);
  claim(slot_of(task), 0);
  assert_int_equal(fut_slots_waiting(slots), 0);
  assert_false(slots->lost);
  fut_slots_abandon(slots, slot_of(task), FUT_OK, NULL);
  call_release(task);
}

/* --- what a mad worker may write -------------------------------------------
 */

static void garbage_size(void **unused) {
  (void)unused;
  call *task = hand_out("a", 0, false);
  unsigned at = slot_of(task);
  claim(at, 0);
  finish(at, 0, "x", FUT_OUTCOME_VALUES);
  atomic_store(&segment->slots[at].size, UINT64_MAX);
  fut_slots_collect(slots, at);
  assert_int_equal(call_state(task), FUT_FAILED);
  call_release(task);
}

static void garbage_tickets(void **unused) {
  (void)unused;
  const unsigned nonsense[] = {1000, UINT32_MAX, 1u << 31, 700};
  for (int i = 0; i < 4; i++) {
    atomic_store(&segment->tickets.taken, nonsense[i]);
    call *task = hand_out("a", 0, false);
    assert_in_range(fut_slots_waiting(slots), 0, FUT_SLOTS);
    assert_true(fut_slots_room(slots));
    fut_slots_recall(slots);
    assert_ptr_equal(fut_heap_pop(&slots->back), &task->task);
    fut_future_release(&task->task.future, arena);
    call_release(task);
  }
}

static void garbage_words(void **unused) {
  (void)unused;
  unsigned seed = 23;
  for (unsigned i = 0; i < scaled(3000); i++) {
    call *task = hand_out("a", 0, i % 2);
    unsigned at = slot_of(task);
    uint64_t word = (uint64_t)dice(&seed, 1 << 20) << 44 |
                    (uint64_t)dice(&seed, 1 << 20) << 22 | dice(&seed, 1 << 20);
    atomic_store(&segment->slots[at].word, word);
    fut_slots_look(slots);
    fut_slots_waiting(slots);
    assert_false(fut_slots_done(slots, at, fut_slot_seat(word)) &&
                 fut_slot_generation(word) != slots->handed[at].generation);
    fut_slots_stop(slots, at, FUT_OK, 5);
    fut_slots_take(slots, at);
    assert_null(fut_slots_take_back(slots, at));
    fut_slots_abandon(slots, at, FUT_EBROKENPROCESSES, "it is mad");
    assert_int_equal(call_state(task), FUT_FAILED);
    call_release(task);
    while (take_ticket() != FUT_SLOTS)
      ;
  }
  assert_int_equal(slots->used, 0);
  assert_int_equal(slots->telling, 0);
  assert_int_equal(slots->stopping, 0);
}

#define SLOTS_CASE(sentence, function)                                         \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest slots_tests[] = {
    SLOTS_CASE("a task is handed out, runs, is done and collected", whole_way),
    SLOTS_CASE("it may fail, be stopped, or lose its worker", failures),
    SLOTS_CASE("what no worker has can be taken back, once", taken_back),
    SLOTS_CASE("all that wait can be recalled, in their order", recalled),
    SLOTS_CASE("a running task can be asked to stop, for one reason", stopping),
    SLOTS_CASE("a running task can be taken from its worker, or was done",
               taken),
    SLOTS_CASE("a limit counts from the start that the worker told", times),
    SLOTS_CASE("as many as there are slots, over and over", full),
    SLOTS_CASE("a lost ticket is missed", lost_ticket),
    SLOTS_CASE("an outcome of nonsensical size fails the task", garbage_size),
    SLOTS_CASE("tickets that nobody fed are not counted", garbage_tickets),
    SLOTS_CASE("no word of a slot leads astray", garbage_words),
};

int main(void) { return cmocka_run_group_tests(slots_tests, NULL, NULL); }
