/* interruption_test.c - a signal to one thread, ending what it is blocked in */
#include "interruption.h"

#include "support/await.h"
#include "support/latch.h"
#include "thread.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

static atomic_uint others; /* signals that were not ours */

static void count_other(int number) {
  (void)number;
  atomic_fetch_add(&others, 1);
}

typedef struct sleeper {
  fut_interruption interruption;
  latch ready;
  atomic_bool done;
  atomic_uint arrived;
  int ends[2];
  int error; /* of the read */
} sleeper;

static void arrived(void *context) {
  atomic_fetch_add(&((sleeper *)context)->arrived, 1);
}

static void sleep_in_read(void *argument) {
  sleeper *self = argument;
  char byte;
  fut_interruption_open(&self->interruption, arrived, self);
  latch_down(&self->ready);
  errno = 0;
  ssize_t got = read(self->ends[0], &byte, 1);
  self->error = got < 0 ? errno : 0;
  atomic_store(&self->done, true);
  fut_interruption_absorb();
  fut_interruption_close(&self->interruption);
}

static void ends_a_read(void **unused) {
  (void)unused;
  sleeper self = {.error = 0};
  latch_init(&self.ready, 1);
  assert_int_equal(pipe(self.ends), 0);
  fut_thread thread;
  assert_int_equal(fut_thread_start(&thread, sleep_in_read, &self), FUT_OK);
  assert_true(latch_wait(&self.ready));
  unsigned tries = 0;
  while (!atomic_load(&self.done) && tries++ < 2000) {
    fut_interruption_send(&self.interruption);
    pause_for(0.002); /* it may not be there yet */
  }
  if (!atomic_load(&self.done))
    assert_int_equal(write(self.ends[1], "x", 1), 1);
  fut_thread_join(thread);
  assert_int_equal(self.error, EINTR);
  assert_true(atomic_load(&self.arrived) > 0);
  assert_int_equal(atomic_load(&others), 0);
  close(self.ends[0]);
  close(self.ends[1]);
  latch_fini(&self.ready);
}

static void chained(void **unused) {
  (void)unused;
  unsigned before = atomic_load(&others);
  raise(FUT_INTERRUPTION_SIGNAL); /* no thread of ours */
  assert_int_equal(atomic_load(&others), before + 1);
}

typedef struct layer {
  fut_interruption interruption;
  struct layer *below;
  unsigned arrived;
} layer;

/* What is below was told before. */
static void arrived_in_turn(void *context) {
  layer *self = context;
  self->arrived++;
  if (self->below)
    assert_int_equal(self->below->arrived, self->arrived);
}

static void arrives_at_all(void **unused) {
  (void)unused;
  layer outer = {.below = NULL}, inner = {.below = &outer};
  unsigned before = atomic_load(&others);
  fut_interruption_open(&outer.interruption, arrived_in_turn, &outer);
  fut_interruption_open(&inner.interruption, arrived_in_turn, &inner);
  fut_interruption_send(&outer.interruption);
  fut_interruption_absorb();
  assert_int_equal(inner.arrived, 1);
  fut_interruption_send(&inner.interruption);
  fut_interruption_absorb();
  assert_int_equal(inner.arrived, 2);
  fut_interruption_close(&inner.interruption);
  inner.arrived = outer.arrived = 0;
  fut_interruption_send(&outer.interruption);
  fut_interruption_absorb();
  assert_int_equal(outer.arrived, 1);
  assert_int_equal(inner.arrived, 0);
  fut_interruption_close(&outer.interruption);
  assert_int_equal(atomic_load(&others), before);
}

static void absorbed(void **unused) {
  (void)unused;
  sleeper self = {.error = 0};
  fut_interruption_open(&self.interruption, arrived, &self);
  for (unsigned i = 1; i <= 100; i++) {
    fut_interruption_send(&self.interruption);
    fut_interruption_absorb();
    assert_int_equal(atomic_load(&self.arrived), i);
  }
  fut_interruption_close(&self.interruption);
}

int main(void) {
  /* what a host has installed before us */
  struct sigaction action = {.sa_handler = count_other};
  sigemptyset(&action.sa_mask);
  sigaction(FUT_INTERRUPTION_SIGNAL, &action, NULL);
  const struct CMUnitTest tests[] = {
      CASE("an interruption ends a read by EINTR", ends_a_read),
      CASE("other signals go to the handler that was there", chained),
      CASE("a signal arrives at all that are open, the oldest first",
           arrives_at_all),
      CASE("what was sent has arrived once it is absorbed", absorbed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
