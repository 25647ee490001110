/* clock_test.c - monotonic time and deadlines */
#include "clock.h"

#include "support/await.h"
#include "support/cases.h"

static void forward(void **unused) {
  (void)unused;
  fut_deadline before = fut_clock_now();
  assert_true(before > 0);
  for (int i = 0; i < 100000; i++) {
    fut_deadline now = fut_clock_now();
    assert_true(now >= before);
    before = now;
  }
}

static void limits(void **unused) {
  (void)unused;
  assert_true(fut_deadline_after(0) == FUT_POLL);
  assert_true(fut_deadline_after(-1) == FUT_POLL);
  assert_true(fut_deadline_after(-1e300) == FUT_POLL);
  assert_true(fut_deadline_after(1e300) == FUT_NEVER);
  assert_true(fut_deadline_after(1e10) == FUT_NEVER);
  assert_true(fut_deadline_after(3e9) < FUT_NEVER);
  assert_true(fut_deadline_left(FUT_POLL) == 0);
  assert_true(fut_deadline_left(1) == 0);
  assert_true(fut_deadline_left(FUT_NEVER) == INT64_MAX);
}

static void ahead(void **unused) {
  (void)unused;
  fut_deadline before = fut_clock_now();
  fut_deadline deadline = fut_deadline_after(100);
  fut_deadline after = fut_clock_now();
  assert_true(deadline >= before + 100000000000);
  assert_true(deadline <= after + 100000000000);
  assert_true(fut_deadline_after(1e-9) != FUT_POLL);
  int64_t left = fut_deadline_left(deadline);
  assert_true(left > 0 && left <= 100000000000);
}

static void passing(void **unused) {
  (void)unused;
  fut_deadline before = fut_clock_now();
  fut_deadline deadline = fut_deadline_after(0.02);
  pause_for(0.02);
  int64_t took = fut_clock_now() - before;
  assert_true(took >= 20000000);
  assert_true((double)took < within(2) * 1e9);
  assert_true(fut_deadline_left(deadline) == 0);
}

static const struct CMUnitTest clock_tests[] = {
    CASE("time never goes back", forward),
    CASE("no time is a poll, and too long is never", limits),
    CASE("a deadline lies so far ahead as asked", ahead),
    CASE("a deadline passes when its time has come", passing),
};

int main(void) { return cmocka_run_group_tests(clock_tests, NULL, NULL); }
