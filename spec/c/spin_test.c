/* spin_test.c - whether it pays to look around before sleeping */
#include "spin.h"

#include "cpus.h"
#include "support/await.h"
#include "support/cases.h"

/* Whether there is a processor to look around on. */
static bool possible(void) { return fut_cpus_usable() > 1; }

static void learns(void **unused) {
  (void)unused;
  fut_spin spin;
  fut_spin_init(&spin);
  assert_int_equal(fut_spin_begin(&spin), possible());
  fut_spin_end(&spin, true);
  assert_int_equal(fut_spin_begin(&spin), possible());
  fut_spin_end(&spin, false);
  assert_false(fut_spin_begin(&spin));
  assert_false(fut_spin_begin(&spin));
}

static void after_short_sleep(void **unused) {
  (void)unused;
  fut_spin spin;
  fut_spin_init(&spin);
  fut_spin_end(&spin, false);
  bool short_one = false;
  for (int i = 0; i < 1000 && !short_one; i++) { /* one may be interrupted */
    fut_spin_asleep(&spin);
    fut_spin_woken(&spin);
    short_one = fut_spin_begin(&spin);
  }
  assert_int_equal(short_one, possible());
  fut_spin_end(&spin, false);
  fut_spin_asleep(&spin);
  pause_for(0.001);
  fut_spin_woken(&spin);
  assert_false(fut_spin_begin(&spin));
}

static void not_too_many(void **unused) {
  (void)unused;
  int cpus = (int)fut_cpus_usable();
  fut_spin spin;
  fut_spin_init(&spin);
  fut_spin_count(cpus);
  assert_int_equal(fut_spin_begin(&spin), possible());
  fut_spin_count(1);
  assert_false(fut_spin_begin(&spin));
  fut_spin_count(-1 - cpus);
  assert_int_equal(fut_spin_begin(&spin), possible());
}

static void ends_soon(void **unused) {
  (void)unused;
  fut_spin spin;
  fut_spin_init(&spin);
  if (!fut_spin_begin(&spin))
    skip();
  fut_deadline before = fut_clock_now();
  while (fut_spin_again(&spin))
    ;
  int64_t took = fut_clock_now() - before;
  assert_true(took >= 1000);
  assert_true((double)took < within(0.5) * 1e9);
}

static const struct CMUnitTest spin_tests[] = {
    CASE("looking around pays until it was in vain", learns),
    CASE("a sleep that was short makes it pay again", after_short_sleep),
    CASE("nobody looks around when more are awake than can run", not_too_many),
    CASE("looking around lasts some microseconds", ends_soon),
};

int main(void) { return cmocka_run_group_tests(spin_tests, NULL, NULL); }
