/* cpus_test.c - how many processors this process may use */
#if defined(__linux__) && !defined(FUTURES_PORTABLE)
#define _GNU_SOURCE /* for affinity */
#include <sched.h>
#endif

#include "cpus.h"

#include "support/cases.h"

#include <unistd.h>

static void some(void **unused) {
  (void)unused;
  unsigned count = fut_cpus_usable();
  assert_true(count >= 1);
  assert_true((long)count <= sysconf(_SC_NPROCESSORS_CONF));
  assert_int_equal(fut_cpus_usable(), count);
}

#if defined(__linux__) && !defined(FUTURES_PORTABLE)
static void bound(void **unused) {
  (void)unused;
  cpu_set_t before, one;
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  size_t first = 0;
  while (!CPU_ISSET(first, &before))
    first++;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  unsigned count = fut_cpus_usable();
  assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
  assert_int_equal(count, 1);
}
#endif

static const struct CMUnitTest cpus_tests[] = {
    CASE("there is one at least, and no more than the machine has", some),
#if defined(__linux__) && !defined(FUTURES_PORTABLE)
    CASE("a process bound to one processor can use one", bound),
#endif
};

int main(void) { return cmocka_run_group_tests(cpus_tests, NULL, NULL); }
