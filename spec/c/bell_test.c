/* bell_test.c - where a process sleeps until another one wakes it */
#include "bell.h"

#include "shared.h"
#include "support/await.h"
#include "support/cases.h"
#include "support/child.h"
#include "support/descriptors.h"
#include "thread.h"

/* Two processes that play ball. */
typedef struct court {
  fut_bell here, there;
  atomic_uint ball; /* atomic: how often it was played */
} court;

typedef struct game {
  fut_shared shared;
  fut_bell_cord here, there;
  unsigned rounds;
} game;

/* Sleep until it is our turn; false if that takes far too long. */
static bool my_turn(fut_bell *bell, const fut_bell_cord *cord, court *at,
                    unsigned turn) {
  fut_deadline limit = fut_deadline_after(within(20));
  for (;;) {
    unsigned rung = fut_bell_rung(bell);
    if (atomic_load(&at->ball) == turn)
      return true;
    if (fut_deadline_left(limit) == 0)
      return false;
    fut_bell_wait(bell, cord, rung, limit);
  }
}

static int play(void *context) {
  game *match = context;
  court *at = match->shared.base;
  for (unsigned i = 0; i < match->rounds; i++) {
    if (!my_turn(&at->there, &match->there, at, 2 * i + 1))
      return 1;
    atomic_fetch_add(&at->ball, 1);
    fut_bell_ring(&at->here, &match->here);
  }
  return 0;
}

static void no_lost_ring(void **unused) {
  (void)unused;
  game match = {.rounds = scaled(20000)};
  assert_int_equal(fut_shared_new(&match.shared, sizeof(court)), FUT_OK);
  assert_int_equal(fut_bell_cord_open(&match.here), FUT_OK);
  assert_int_equal(fut_bell_cord_open(&match.there), FUT_OK);
  court *at = match.shared.base;
  pid_t child = child_start(play, &match);
  unsigned played = 0;
  for (; played < match.rounds; played++) {
    atomic_fetch_add(&at->ball, 1);
    fut_bell_ring(&at->there, &match.there);
    if (!my_turn(&at->here, &match.here, at, 2 * played + 2))
      break;
  }
  assert_int_equal(child_wait(child), 0);
  assert_int_equal(played, match.rounds);
  fut_bell_cord_close(&match.here);
  fut_bell_cord_close(&match.there);
  fut_shared_close(&match.shared);
}

static void rung_before(void **unused) {
  (void)unused;
  fut_bell bell = {.rung = 0};
  fut_bell_cord cord;
  assert_int_equal(fut_bell_cord_open(&cord), FUT_OK);
  unsigned rung = fut_bell_rung(&bell);
  fut_bell_ring(&bell, &cord);
  fut_deadline begin = fut_clock_now();
  fut_bell_wait(&bell, &cord, rung, fut_deadline_after(within(20)));
  assert_true(fut_clock_now() - begin < (fut_deadline)(within(10) * 1e9));
  fut_bell_cord_close(&cord);
}

static void time_up(void **unused) {
  (void)unused;
  fut_bell bell = {.rung = 0};
  fut_bell_cord cord;
  assert_int_equal(fut_bell_cord_open(&cord), FUT_OK);
  fut_deadline begin = fut_clock_now(), end = fut_deadline_after(0.03);
  fut_bell_wait(&bell, &cord, fut_bell_rung(&bell), FUT_POLL);
  while (fut_deadline_left(end) > 0)
    fut_bell_wait(&bell, &cord, fut_bell_rung(&bell), end);
  fut_deadline took = fut_clock_now() - begin;
  assert_true(took >= 30000000);
  assert_true(took < (fut_deadline)(within(2) * 1e9));
  fut_bell_cord_close(&cord);
}

static void many_rings(void **unused) {
  (void)unused;
  fut_bell bell = {.asleep = true}; /* so that each ring is written down */
  fut_bell_cord cord;
  assert_int_equal(fut_bell_cord_open(&cord), FUT_OK);
  for (int i = 0; i < 100000; i++)
    fut_bell_ring(&bell, &cord);
  assert_int_equal(fut_bell_rung(&bell), 100000);
  fut_bell_wait(&bell, &cord, 99999, fut_deadline_after(within(20)));
  fut_bell_cord_close(&cord);
}

static void nothing_left(void **unused) {
  (void)unused;
  unsigned before = descriptors();
  for (int i = 0; i < 100; i++) {
    fut_bell_cord cord;
    assert_int_equal(fut_bell_cord_open(&cord), FUT_OK);
    if (cord.sleeper >= 0)
      assert_true(descriptor_private(cord.sleeper));
    if (cord.ringer >= 0)
      assert_true(descriptor_private(cord.ringer));
    fut_bell_cord_close(&cord);
  }
  assert_int_equal(descriptors(), before);
}

static const struct CMUnitTest bell_tests[] = {
    CASE("two processes wake each other, and no ring is lost", no_lost_ring),
    CASE("a ring before the sleep keeps from sleeping", rung_before),
    CASE("a sleep ends at its deadline", time_up),
    CASE("who rings never blocks, though nobody listens", many_rings),
    CASE("a cord that is closed leaves no descriptor", nothing_left),
};

int main(void) { return cmocka_run_group_tests(bell_tests, NULL, NULL); }
