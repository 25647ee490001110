/* slots_many_test.c - calls that stand for many things, as the parent sees
   them; here the test is the worker too */
#include "slots.h"

#include "support/cases.h"
#include "support/seats.h"

#include <stdlib.h>
#include <string.h>

static fut_segment *segment;
static fut_slots *slots;
static fut_arena *arena;

/* A task that is many, and what it was told. */
typedef struct many {
  fut_task task;
  unsigned left;     /* things that were not lent yet */
  unsigned lent;     /* of the last loan */
  unsigned recalled; /* things that were taken back */
  unsigned delivered, settled;
  char text[64]; /* of all frames delivered */
  size_t size;
  fut_lent last;
  unsigned char outcome[2000];
} many;

static void no_fini(fut_future *future) { (void)future; }

static fut_call say(const fut_task *task) {
  (void)task;
  return (fut_call){.bytes = (const unsigned char *)"things", .size = 6};
}

static unsigned char *room(fut_task *task, size_t size) {
  assert_true(size <= sizeof((many *)task)->outcome);
  return ((many *)task)->outcome;
}

static unsigned lend(fut_task *task) {
  many *m = (many *)task;
  unsigned lent = m->left < 5 ? m->left : 5;
  m->left -= lent;
  return m->lent = lent;
}

static void recall(fut_task *task, unsigned from) {
  many *m = (many *)task;
  m->recalled += m->lent - from;
  m->lent = from;
}

static void deliver(fut_task *task, unsigned things,
                    const unsigned char *frames, size_t size) {
  many *m = (many *)task;
  m->delivered += things;
  for (size_t at = 0; at < size;) { /* each is one character */
    assert_int_equal(frames[at], 1);
    m->text[m->size++] = (char)frames[at + FUT_FRAME_HEAD];
    at += FUT_FRAME_HEAD + 1;
  }
}

static void settle(fut_task *task, const fut_lent *lent) {
  many *m = (many *)task;
  m->settled++;
  m->last = *lent;
}

static const fut_task_kind many_kind = {
    .future = {.object = {"many", fut_future_free}, .fini = no_fini},
    .call = say,
    .outcome = room,
    .lend = lend,
    .recall = recall,
    .deliver = deliver,
    .settle = settle};

static int begin(void **unused) {
  (void)unused;
  segment = segment_new(0);
  slots = malloc(sizeof *slots);
  arena = fut_arena_new(sizeof(many));
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

/* Hand one out with so many things left; the test keeps a reference. */
static many *hand_out(unsigned left) {
  many *m = fut_arena_take(arena);
  memset(m, 0, sizeof *m);
  fut_task_init(&m->task, &many_kind, arena);
  m->task.many = true;
  m->left = left;
  fut_object_hold(&m->task.future.object);
  assert_int_equal(fut_slots_hand_out(slots, &m->task, false), left > 0);
  fut_slots_publish(slots);
  return m;
}

static void let_go(many *m) { fut_future_release(&m->task.future, arena); }

/* --- what a worker does ----------------------------------------------------
 */

static uint32_t generation(unsigned at) {
  return fut_slot_generation(atomic_load(&segment->slots[at].word));
}

static void set_word(unsigned at, enum fut_slot_state state) {
  atomic_store(&segment->slots[at].word,
               fut_slot_word(generation(at), state, 0));
}

/* Begin a thing: false if the parent has it back. */
static bool begin_next(unsigned at) {
  fut_slot *slot = &segment->slots[at];
  uint64_t share = atomic_load(&slot->share);
  unsigned begun = fut_share_started(share);
  if (begun >= fut_share_end(share))
    return false;
  atomic_store(&slot->share,
               fut_slot_share(generation(at), begun + 1, fut_share_end(share)));
  return true;
}

/* Leave the frame of one more thing that has ended. */
static void leave(unsigned at, char what) {
  fut_slot *slot = &segment->slots[at];
  uint64_t framed = atomic_load(&slot->framed);
  size_t filled = (size_t)(framed & 0xffffffffu);
  unsigned char frame[] = {1, 0, 0, 0, FUT_OUTCOME_VALUES, (unsigned char)what};
  memcpy(slot->bytes + filled, frame, sizeof frame);
  filled += sizeof frame;
  atomic_store(&slot->size, filled);
  atomic_store(&slot->framed, ((framed >> 32) + 1) << 32 | filled);
}

/* Be done with so many things. */
static void finish(unsigned at, unsigned ended) {
  segment->slots[at].ended = (uint16_t)ended;
  segment->slots[at].took = 100;
  set_word(at, FUT_SLOT_DONE);
}

/* --- the way of a call -----------------------------------------------------
 */

static void whole_way(void **unused) {
  (void)unused;
  many *m = hand_out(3);
  unsigned at = m->task.place - 1;
  assert_int_equal(segment->slots[at].things, 3);
  set_word(at, FUT_SLOT_RUNNING);
  for (unsigned i = 0; i < 3; i++) {
    assert_true(begin_next(at));
    leave(at, (char)('a' + i));
  }
  assert_false(begin_next(at));
  finish(at, 3);
  fut_slots_collect(slots, at);
  assert_string_equal(m->text, "abc");
  assert_int_equal(m->delivered, 3);
  assert_int_equal(m->settled, 1);
  assert_int_equal(m->last.started, 3);
  assert_int_equal(m->last.took, 100);
  assert_int_equal(fut_future_state(&m->task.future), FUT_FINISHED);
  assert_int_equal(slots->used, 0);
  assert_int_equal(slots->many, 0);
  let_go(m);
}

static void nothing_left(void **unused) {
  (void)unused;
  many *m = hand_out(0);
  assert_int_equal(m->task.place, 0);
  assert_int_equal(fut_future_state(&m->task.future), FUT_FINISHED);
  assert_int_equal(slots->used, 0);
  let_go(m);
}

static void on_the_way(void **unused) {
  (void)unused;
  many *m = hand_out(3);
  unsigned at = m->task.place - 1;
  set_word(at, FUT_SLOT_RUNNING);
  begin_next(at);
  fut_slots_deliver(slots, at);
  assert_int_equal(m->delivered, 0);
  leave(at, 'a');
  fut_slots_deliver(slots, at);
  fut_slots_deliver(slots, at); /* each once */
  assert_string_equal(m->text, "a");
  begin_next(at);
  leave(at, 'b');
  finish(at, 2);
  fut_slots_collect(slots, at);
  assert_string_equal(m->text, "ab");
  assert_int_equal(m->last.started, 2); /* and the third is left */
  let_go(m);
}

static void cut(void **unused) {
  (void)unused;
  many *m = hand_out(5);
  unsigned at = m->task.place - 1;
  assert_false(fut_slots_cut(slots, at, FUT_NEVER)); /* to be taken back */
  set_word(at, FUT_SLOT_RUNNING);
  begin_next(at);
  begin_next(at);
  assert_false(fut_slots_cut(slots, at, fut_clock_now() - 1000000000));
  assert_true(fut_slots_cut(slots, at, FUT_NEVER));
  assert_int_equal(m->recalled, 3);
  assert_false(begin_next(at));
  assert_false(fut_slots_cut(slots, at, FUT_NEVER)); /* nothing more */
  assert_true(fut_slots_since(slots, at) == FUT_NEVER);
  leave(at, 'a');
  leave(at, 'b');
  finish(at, 2);
  fut_slots_collect(slots, at);
  assert_string_equal(m->text, "ab");
  assert_int_equal(m->last.started, 2);
  let_go(m);
}

static void death(void **unused) {
  (void)unused;
  many *m = hand_out(4);
  unsigned at = m->task.place - 1;
  set_word(at, FUT_SLOT_RUNNING);
  begin_next(at);
  leave(at, 'a');
  begin_next(at); /* and that was it */
  fut_slots_abandon(slots, at, FUT_EBROKENPROCESSES, "it died");
  assert_string_equal(m->text, "a");
  assert_int_equal(m->settled, 1);
  assert_int_equal(m->last.started, 2);
  assert_int_equal(m->last.why, FUT_EBROKENPROCESSES);
  assert_string_equal(m->last.message, "it died");
  assert_int_equal(slots->used, 0);
  let_go(m);
}

static void taken_back(void **unused) {
  (void)unused;
  many *m = hand_out(4);
  unsigned at = m->task.place - 1;
  assert_ptr_equal(fut_slots_take_back(slots, at), &m->task);
  assert_int_equal(slots->many, 0);
  m->left = 4; /* as it was */
  assert_true(fut_slots_hand_out(slots, &m->task, false));
  fut_slots_publish(slots);
  at = m->task.place - 1;
  assert_int_equal(fut_share_end(atomic_load(&segment->slots[at].share)), 4);
  assert_int_equal(fut_share_started(atomic_load(&segment->slots[at].share)),
                   0);
  fut_slots_abandon(slots, at, FUT_OK, NULL);
  assert_int_equal(m->last.started, 0);
  let_go(m);
}

static void garbage(void **unused) {
  (void)unused;
  many *m = hand_out(3);
  unsigned at = m->task.place - 1;
  fut_slot *slot = &segment->slots[at];
  set_word(at, FUT_SLOT_RUNNING);
  atomic_store(&slot->framed, UINT64_C(700) << 32 | 10);
  fut_slots_deliver(slots, at);
  atomic_store(&slot->framed, UINT64_C(2) << 32 | 5000);
  fut_slots_deliver(slots, at);
  atomic_store(&slot->share, fut_slot_share(generation(at) + 1, 0, 60000));
  assert_false(fut_slots_cut(slots, at, FUT_NEVER));
  atomic_store(&slot->share, fut_slot_share(generation(at), 60000, 1));
  assert_false(fut_slots_cut(slots, at, FUT_NEVER));
  slot->things = 9000;
  finish(at, 50000);
  fut_slots_collect(slots, at);
  assert_int_equal(m->delivered, 0);
  assert_int_equal(m->last.started, 3);
  assert_int_equal(slots->many, 0);
  let_go(m);
}

#define SLOTS_CASE(sentence, function)                                         \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest slots_many_tests[] = {
    SLOTS_CASE("what is lent is begun, ends, and is settled", whole_way),
    SLOTS_CASE("a task with nothing left to lend ends", nothing_left),
    SLOTS_CASE("what has ended is delivered at once, and once", on_the_way),
    SLOTS_CASE("what was not begun can be had back, once", cut),
    SLOTS_CASE("a death costs what was begun and has not ended", death),
    SLOTS_CASE("what no worker has is lent again as it was", taken_back),
    SLOTS_CASE("no figure of a slot leads astray", garbage),
};

int main(void) { return cmocka_run_group_tests(slots_many_tests, NULL, NULL); }
