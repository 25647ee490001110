/* event_test.c - a descriptor that is readable while it is set */
#include "event.h"

#include "support/cases.h"
#include "support/crew.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

static bool readable(const fut_event *event, int milliseconds) {
  struct pollfd fd = {.fd = event->readable, .events = POLLIN};
  return poll(&fd, 1, milliseconds) == 1;
}

static void turns(void **unused) {
  (void)unused;
  fut_event event;
  assert_int_equal(fut_event_open(&event), FUT_OK);
  assert_false(readable(&event, 0));
  fut_event_clear(&event);
  assert_false(readable(&event, 0));
  for (int i = 0; i < 10; i++) {
    fut_event_set(&event);
    fut_event_set(&event);
    assert_true(readable(&event, 0));
    assert_true(readable(&event, 0));
    fut_event_clear(&event);
    assert_false(readable(&event, 0));
  }
  fut_event_close(&event);
}

static void brim(void **unused) {
  (void)unused;
  fut_event event;
  assert_int_equal(fut_event_open(&event), FUT_OK);
  for (int i = 0; i < 100000; i++)
    fut_event_set(&event);
  assert_true(readable(&event, 0));
  fut_event_clear(&event);
  assert_false(readable(&event, 0));
  fut_event_close(&event);
}

static void closed_on_exec(void **unused) {
  (void)unused;
  fut_event event;
  assert_int_equal(fut_event_open(&event), FUT_OK);
  assert_true(fcntl(event.readable, F_GETFD) & FD_CLOEXEC);
  assert_true(fcntl(event.writable, F_GETFD) & FD_CLOEXEC);
  int descriptor = event.readable;
  fut_event_close(&event);
  assert_int_equal(fcntl(descriptor, F_GETFD), -1);
}

static void no_descriptor(void **unused) {
  (void)unused;
  struct rlimit before, none;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  fut_event event = {-7, -7};
  fut_err err = fut_event_open(&event);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(err, FUT_ENOMEM);
  assert_int_equal(event.readable, -7);
}

static void set(void *context, unsigned index) {
  (void)index;
  fut_event_set(context);
}

static void across(void **unused) {
  (void)unused;
  fut_event event;
  assert_int_equal(fut_event_open(&event), FUT_OK);
  for (unsigned i = scaled(200); i > 0; i--) {
    crew setter;
    crew_start(&setter, 1, set, &event);
    assert_true(readable(&event, (int)(within(20) * 1000)));
    crew_join(&setter);
    fut_event_clear(&event);
    assert_false(readable(&event, 0));
  }
  fut_event_close(&event);
}

static const struct CMUnitTest event_tests[] = {
    CASE("it is readable from set to clear, however often it is set", turns),
    CASE("setting it never blocks, and one clear is enough", brim),
    CASE("other programs do not inherit it", closed_on_exec),
    CASE("without a descriptor to spare it is not opened", no_descriptor),
    CASE("one thread wakes another that polls", across),
};

int main(void) { return cmocka_run_group_tests(event_tests, NULL, NULL); }
