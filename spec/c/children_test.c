/* children_test.c - the workers of a process pool, as the parent sees them;
   here the test is the workers too */
#include "children.h"

#include "support/call.h"
#include "support/cases.h"
#include "support/seats.h"
#include "support/descriptors.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { SEATS = 3 };

static fut_segment *segment;
static fut_children children;
static fut_slots *slots;
static fut_arena *arena;
static char program[] = "/nowhere/worker";
static int ended; /* a descriptor that says so of a process: readable */

static int begin(void **unused) {
  (void)unused;
  segment = segment_new(SEATS);
  slots = malloc(sizeof *slots);
  arena = call_arena();
  fut_slots_init(slots, segment);
  ended = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return fut_children_init(&children, segment, -1, program, SEATS) != FUT_OK;
}

static int end(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < SEATS; i++)
    if (children.child[i].present)
      fut_children_leave(&children, i);
  fut_children_fini(&children);
  close(ended);
  fut_arena_close(arena);
  free(slots);
  free(segment);
  return 0;
}

/* Let somebody take the next seat, without a process. */
static unsigned sit_down(void) {
  unsigned seat = fut_children_take_seat(&children);
  fut_child *child = &children.child[seat];
  assert_int_equal(fut_shared_new(&child->streams, sizeof(fut_seat_streams)),
                   FUT_OK);
  assert_int_equal(fut_bell_cord_open(&child->cord), FUT_OK);
  assert_int_equal(fut_event_open(&child->stop), FUT_OK);
  child->process = (fut_process){.watch = ended, .lease = -1};
  child->started = true;
  atomic_store(&segment->seat[seat].opened, true);
  return seat;
}

static void set_state(unsigned seat, unsigned state) {
  atomic_store(&segment->seat[seat].state, state);
}

static unsigned state_of(unsigned seat) {
  return atomic_load(&segment->seat[seat].state);
}

static call *hand_out(const void *bytes, size_t size) {
  call *task = call_of(arena, bytes, size);
  fut_object_hold(&task->task.future.object);
  fut_slots_hand_out(slots, &task->task, false);
  fut_slots_publish(slots);
  return task;
}

static void set_word(unsigned at, enum fut_slot_state state, unsigned seat) {
  uint32_t generation =
      fut_slot_generation(atomic_load(&segment->slots[at].word));
  atomic_store(&segment->slots[at].word,
               fut_slot_word(generation, state, seat));
}

/* The worker is done with a task, and says so. */
static void finish(unsigned at, unsigned seat, size_t size) {
  fut_seat *place = &segment->seat[seat];
  atomic_store(&segment->slots[at].size, size);
  set_word(at, FUT_SLOT_DONE, seat);
  unsigned count = atomic_load(&place->done_count);
  atomic_store(&place->done[count % FUT_SLOTS], (uint16_t)at);
  atomic_store(&place->done_count, count + 1);
}

/* --- seats -----------------------------------------------------------------
 */

static void seats(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < SEATS; i++) {
    assert_int_equal(fut_children_take_seat(&children), i);
    assert_int_equal(state_of(i), FUT_SEAT_SEARCHING);
  }
  assert_int_equal(fut_children_take_seat(&children), SEATS);
  assert_int_equal(children.present, SEATS);
  fut_children_leave(&children, 1);
  assert_int_equal(state_of(1), FUT_SEAT_EMPTY);
  assert_int_equal(fut_children_take_seat(&children), 1);
}

static void not_started(void **unused) {
  (void)unused;
  unsigned before = descriptors();
  unsigned seat = fut_children_take_seat(&children);
  assert_int_not_equal(fut_children_start(&children, seat), 0);
  fut_children_leave(&children, seat);
  assert_in_range(descriptors(), before, before + 1); /* the doorbell */
  before = descriptors();
  seat = fut_children_take_seat(&children);
  assert_int_not_equal(fut_children_start(&children, seat), 0);
  fut_children_leave(&children, seat);
  assert_int_equal(descriptors(), before);
}

static void nothing_left(void **unused) {
  (void)unused;
  unsigned before = descriptors();
  for (int i = 0; i < 20; i++)
    fut_children_leave(&children, sit_down());
  assert_int_equal(descriptors(), before);
}

/* --- who comes -------------------------------------------------------------
 */

static void waking(void **unused) {
  (void)unused;
  assert_int_equal(fut_children_wake(&children, 1, FUT_POLL),
                   FUT_CHILDREN_START); /* nobody is there */
  unsigned first = sit_down();
  assert_int_equal(fut_children_wake(&children, 1, FUT_POLL),
                   FUT_CHILDREN_COMES); /* the new one searches */
  assert_int_equal(fut_children_wake(&children, 2, FUT_POLL),
                   FUT_CHILDREN_START);
  unsigned second = sit_down();
  set_state(first, FUT_SEAT_BUSY);
  set_state(second, FUT_SEAT_ASLEEP);
  assert_int_equal(fut_children_wake(&children, 1, FUT_POLL),
                   FUT_CHILDREN_COMES);
  assert_int_equal(state_of(second), FUT_SEAT_SEARCHING);
  assert_int_equal(fut_bell_rung(&segment->seat[second].bell), 1);
  unsigned third = sit_down();
  set_state(second, FUT_SEAT_BUSY);
  set_state(third, FUT_SEAT_BUSY);
  assert_int_equal(fut_children_wake(&children, 1, FUT_POLL),
                   FUT_CHILDREN_BUSY);
  set_state(third, FUT_SEAT_RETIRED);
  assert_int_equal(fut_children_wake(&children, 1, FUT_POLL),
                   FUT_CHILDREN_BUSY); /* its seat is not free yet */
  assert_int_equal(fut_children_awake(&children), 2);
}

static void slow(void **unused) {
  (void)unused;
  unsigned frozen = sit_down(), other = sit_down();
  set_state(other, FUT_SEAT_ASLEEP);
  fut_deadline now = fut_clock_now();
  fut_children_wake(&children, 1, now);
  assert_int_equal(state_of(other), FUT_SEAT_ASLEEP); /* not needed */
  atomic_store(&segment->seat[frozen].opened, false); /* still to come */
  fut_children_wake(&children, 1, now + 200000000);
  assert_int_equal(state_of(other), FUT_SEAT_ASLEEP);
  atomic_store(&segment->seat[frozen].opened, true);
  fut_children_wake(&children, 1, now + 200000000);
  assert_int_equal(state_of(other), FUT_SEAT_SEARCHING); /* in its place */
  assert_int_equal(state_of(frozen), FUT_SEAT_SEARCHING);
}

static void all_woken(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < SEATS; i++)
    sit_down();
  set_state(0, FUT_SEAT_ASLEEP);
  set_state(1, FUT_SEAT_BUSY);
  set_state(2, FUT_SEAT_ASLEEP);
  fut_children_wake_all(&children);
  assert_int_equal(state_of(0), FUT_SEAT_SEARCHING);
  assert_int_equal(state_of(1), FUT_SEAT_BUSY);
  assert_int_equal(state_of(2), FUT_SEAT_SEARCHING);
}

/* --- through the streams ---------------------------------------------------
 */

static void large_call(void **unused) {
  (void)unused;
  enum { SIZE = 1000000 };
  unsigned seat = sit_down();
  unsigned char *bytes = malloc(SIZE), *got = malloc(SIZE);
  for (int i = 0; i < SIZE; i++)
    bytes[i] = (unsigned char)(i * 7 + (i >> 8));
  call *task = hand_out(bytes, SIZE);
  unsigned at = task->task.place - 1;
  set_word(at, FUT_SLOT_RUNNING, seat);
  atomic_store(&segment->seat[seat].incoming, at + 1);
  fut_seat_streams *streams = children.child[seat].streams.base;
  uint64_t position = 0;
  size_t size = 0;
  while (size < SIZE) {
    fut_children_collect(&children, seat, slots);
    size_t more =
        fut_stream_get(&streams->calls, &position, got + size, SIZE - size);
    assert_true(more > 0);
    size += more;
  }
  fut_children_collect(&children, seat, slots);
  assert_false(fut_stream_readable(&streams->calls, position));
  atomic_store(&segment->seat[seat].incoming, 0);
  assert_memory_equal(bytes, got, SIZE);
  assert_int_equal(call_state(task), FUT_RUNNING);
  memcpy(segment->slots[at].bytes, "thanks", 6);
  finish(at, seat, 6);
  fut_children_collect(&children, seat, slots);
  assert_int_equal(call_state(task), FUT_FINISHED);
  assert_true(call_says(task, "thanks"));
  call_release(task);
  free(bytes);
  free(got);
}

static void large_outcomes(void **unused) {
  (void)unused;
  enum { SIZE = 400000, FITS = 100000 };
  unsigned seat = sit_down();
  unsigned char *bytes = malloc(SIZE);
  for (int i = 0; i < SIZE; i++)
    bytes[i] = (unsigned char)(i * 7 + (i >> 8));
  fut_seat_streams *streams = children.child[seat].streams.base;
  uint64_t position = 0;
  call *one = hand_out("a", 1), *other = hand_out("b", 1);
  unsigned at = one->task.place - 1, next = other->task.place - 1;
  /* one goes into the stream as a whole, nobody looks; then another begins */
  set_word(at, FUT_SLOT_RUNNING, seat);
  assert_int_equal(fut_stream_put(&streams->outcomes, &position, bytes, FITS),
                   FITS);
  finish(at, seat, FITS);
  set_word(next, FUT_SLOT_RUNNING, seat);
  atomic_store(&segment->slots[next].size, SIZE);
  atomic_store(&segment->seat[seat].outgoing, next + 1);
  size_t put = 0;
  while (put < SIZE) {
    put +=
        fut_stream_put(&streams->outcomes, &position, bytes + put, SIZE - put);
    fut_children_collect(&children, seat, slots);
  }
  assert_int_equal(call_state(one), FUT_FINISHED);
  assert_int_equal(one->size, FITS);
  assert_memory_equal(one->bytes, bytes, FITS);
  assert_int_equal(call_state(other), FUT_RUNNING);
  atomic_store(&segment->seat[seat].outgoing, 0);
  finish(next, seat, SIZE);
  fut_children_collect(&children, seat, slots);
  assert_int_equal(call_state(other), FUT_FINISHED);
  assert_int_equal(other->size, SIZE);
  assert_memory_equal(other->bytes, bytes, SIZE);
  call_release(one);
  call_release(other);
  free(bytes);
}

/* --- what a mad worker may write -------------------------------------------
 */

static void garbage(void **unused) {
  (void)unused;
  unsigned seat = sit_down();
  fut_seat *place = &segment->seat[seat];
  fut_seat_streams *streams = children.child[seat].streams.base;
  unsigned seed = 3;
  call *task = hand_out("a", 1);
  unsigned at = task->task.place - 1;
  set_word(at, FUT_SLOT_RUNNING, seat);
  for (unsigned i = 0; i < scaled(20000); i++) {
    atomic_store(&place->incoming, dice(&seed, 2) ? at + 1 : dice(&seed, 2000));
    atomic_store(&place->outgoing, dice(&seed, 2) ? at + 1 : dice(&seed, 2000));
    atomic_store(&place->done_count,
                 dice(&seed, 2) ? dice(&seed, 100000) : UINT32_MAX - i);
    atomic_store(&place->done[dice(&seed, FUT_SLOTS)],
                 (uint16_t)dice(&seed, 65536));
    atomic_store(&place->state, dice(&seed, 10));
    atomic_store(&segment->slots[at].size,
                 (uint64_t)dice(&seed, 3) << 40 | dice(&seed, 1 << 20));
    atomic_store(&streams->outcomes.written, dice(&seed, 1 << 20));
    atomic_store(&streams->calls.read, dice(&seed, 1 << 20));
    fut_children_collect(&children, seat, slots);
    fut_children_wake(&children, 1, FUT_POLL);
    fut_children_awake(&children);
  }
  assert_int_equal(call_state(task), FUT_RUNNING); /* nobody has done it */
  fut_slots_abandon(slots, at, FUT_EBROKENPROCESSES, "it is mad");
  call_release(task);
}

#define CHILDREN_CASE(sentence, function)                                      \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest children_tests[] = {
    CHILDREN_CASE("there are as many seats as workers", seats),
    CHILDREN_CASE("what cannot be started leaves nothing", not_started),
    CHILDREN_CASE("who leaves leaves no descriptor", nothing_left),
    CHILDREN_CASE("a sleeper is woken, else a worker started, but not too many",
                  waking),
    CHILDREN_CASE("who does not come is done without", slow),
    CHILDREN_CASE("at the end all that sleep are woken", all_woken),
    CHILDREN_CASE("a large call goes piece by piece", large_call),
    CHILDREN_CASE("large outcomes come one after another", large_outcomes),
    CHILDREN_CASE("nothing that a worker writes leads astray", garbage),
};

int main(void) { return cmocka_run_group_tests(children_tests, NULL, NULL); }
