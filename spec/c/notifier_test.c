/* notifier_test.c - a descriptor that tells event loops that there is work */
#include "notifier.h"

#include "support/cases.h"
#include "support/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

static bool readable(const fut_notifier *notifier) {
  struct pollfd fd = {.fd = fut_notifier_descriptor(notifier),
                      .events = POLLIN};
  return poll(&fd, 1, 0) == 1;
}

static void turns(void **unused) {
  (void)unused;
  fut_notifier *notifier = fut_notifier_new();
  assert_non_null(notifier);
  assert_false(readable(notifier));
  fut_notifier_lower(notifier);
  assert_false(readable(notifier));
  for (int i = 0; i < 10; i++) {
    for (int j = 0; j <= i; j++)
      fut_notifier_raise(notifier);
    assert_true(fut_notifier_raised(notifier));
    assert_true(readable(notifier));
    fut_notifier_lower(notifier);
    assert_false(fut_notifier_raised(notifier));
    assert_false(readable(notifier));
  }
  int descriptor = fut_notifier_descriptor(notifier);
  fut_notifier_free(notifier);
  assert_int_equal(fcntl(descriptor, F_GETFD), -1);
  fut_notifier_free(NULL);
}

static void no_descriptor(void **unused) {
  (void)unused;
  struct rlimit before, none;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  fut_notifier *notifier = fut_notifier_new();
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_null(notifier);
}

/* In the child: what it does to the notifier must not be seen outside. */
static int meddle(void *context) {
  fut_notifier **pair = context;
  bool fine = fut_notifier_forked(pair[0]);
  fut_notifier_raise(pair[0]);
  fut_notifier_lower(pair[1]);
  fut_notifier *own = fut_notifier_new();
  fine = fine && own && !fut_notifier_forked(own);
  fut_notifier_raise(own);
  fine = fine && readable(own);
  fut_notifier_free(own);
  fut_notifier_free(pair[0]);
  fut_notifier_free(pair[1]);
  return fine ? 0 : 1;
}

static void forked(void **unused) {
  (void)unused;
  fut_notifier *pair[2] = {fut_notifier_new(), fut_notifier_new()};
  fut_notifier_raise(pair[1]);
  assert_false(fut_notifier_forked(pair[0]));
  assert_int_equal(child_run(meddle, pair), 0);
  assert_false(readable(pair[0]));
  assert_true(readable(pair[1]));
  fut_notifier_lower(pair[1]);
  assert_false(readable(pair[1]));
  fut_notifier_free(pair[0]);
  fut_notifier_free(pair[1]);
}

static const struct CMUnitTest notifier_tests[] = {
    CASE("it is readable from raise to lower, however often raised", turns),
    CASE("without a descriptor to spare there is none", no_descriptor),
    CASE("a forked child leaves that of its parent alone", forked),
};

int main(void) { return cmocka_run_group_tests(notifier_tests, NULL, NULL); }
