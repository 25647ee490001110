/* signal_sleep_test.c - sleeping on a descriptor without missing a signal */
#include "signal_sleep.h"

#include "event.h"
#include "support/alarm.h"
#include "support/cases.h"
#include "support/crew.h"

#include <sys/resource.h>
#include <unistd.h>

static fut_event event;

static int open_event(void **unused) {
  (void)unused;
  return fut_event_open(&event) == FUT_OK ? 0 : -1;
}

static int close_event(void **unused) {
  (void)unused;
  fut_event_close(&event);
  return 0;
}

static bool calm(void *context) {
  (void)context;
  return false;
}

static void readable(void **unused) {
  (void)unused;
  fut_event_set(&event);
  assert_int_equal(fut_signal_sleep(event.readable, FUT_NEVER, calm, NULL),
                   FUT_OK);
  assert_int_equal(fut_signal_sleep(event.readable, FUT_POLL, calm, NULL),
                   FUT_OK);
  fut_event_clear(&event);
  assert_int_equal(fut_signal_sleep(event.readable, FUT_POLL, calm, NULL),
                   FUT_ETIMEDOUT);
}

static void deadline(void **unused) {
  (void)unused;
  fut_deadline before = fut_clock_now();
  assert_int_equal(
      fut_signal_sleep(event.readable, fut_deadline_after(0.03), calm, NULL),
      FUT_ETIMEDOUT);
  int64_t took = fut_clock_now() - before;
  assert_true(took >= 30000000);
  assert_true((double)took < within(2) * 1e9);
}

static bool yes(void *context) {
  ++*(int *)context;
  return true;
}

static void attention(void **unused) {
  (void)unused;
  int asked = 0;
  assert_int_equal(fut_signal_sleep(event.readable, FUT_NEVER, yes, &asked),
                   FUT_EINTR);
  assert_int_equal(asked, 1);
}

/* The signal comes between the question and the sleep. */
static bool too_early(void *context) {
  (void)context;
  alarm_send(pthread_self());
  return atomic_load(&alarms) > 0;
}

static void not_missed(void **unused) {
  (void)unused;
  for (int restart = 0; restart < 2; restart++) {
    alarm_install(restart);
    assert_int_equal(
        fut_signal_sleep(event.readable, FUT_NEVER, too_early, NULL),
        FUT_EINTR);
    assert_int_equal(atomic_load(&alarms), 1);
  }
}

static void mask_kept(void **unused) {
  (void)unused;
  sigset_t some, before, after;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &some, &before);
  int asked = 0;
  fut_signal_sleep(event.readable, FUT_POLL, calm, NULL);
  fut_signal_sleep(event.readable, FUT_POLL, yes, &asked);
  pthread_sigmask(SIG_SETMASK, &before, &after);
  assert_true(sigismember(&after, SIGUSR2));
  assert_false(sigismember(&after, SIGUSR1));
  assert_false(sigismember(&after, SIGINT));
}

static void ring(void *context, unsigned index) {
  (void)index;
  alarm_send(*(pthread_t *)context);
}

static void interrupted(void **unused) {
  (void)unused;
  pthread_t self = pthread_self();
  for (unsigned i = scaled(300); i > 0; i--) {
    alarm_install(i % 2);
    crew ringer;
    crew_start(&ringer, 1, ring, &self);
    assert_int_equal(
        fut_signal_sleep(event.readable, FUT_NEVER, alarm_rang, NULL),
        FUT_EINTR);
    assert_int_equal(atomic_load(&alarms), 1);
    crew_join(&ringer);
  }
}

static void high_descriptor(void **unused) {
  (void)unused;
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  struct rlimit wide = {.rlim_cur = 3000, .rlim_max = limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &wide) != 0)
    skip();
  int high = dup2(event.readable, 2900);
  assert_int_equal(high, 2900);
  assert_int_equal(fut_signal_sleep(high, FUT_POLL, calm, NULL), FUT_ETIMEDOUT);
  fut_event_set(&event);
  assert_int_equal(fut_signal_sleep(high, FUT_NEVER, calm, NULL), FUT_OK);
  fut_event_clear(&event);
  close(high);
  setrlimit(RLIMIT_NOFILE, &limit);
}

static const struct CMUnitTest signal_sleep_tests[] = {
    CASE("a readable descriptor ends it, also a poll", readable),
    CASE("a deadline ends it", deadline),
    CASE("it does not sleep when there is something to attend to", attention),
    CASE("a signal just before the sleep is not missed", not_missed),
    CASE("the mask of signals is as before", mask_kept),
    CASE("a signal from another thread ends it, whenever it comes",
         interrupted),
    CASE("a descriptor may have a high number", high_descriptor),
};

int main(void) {
  return cmocka_run_group_tests(signal_sleep_tests, open_event, close_event);
}
