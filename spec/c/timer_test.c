/* timer_test.c - calls that a thread of its own makes when their time has come
 */
#include "timer.h"

#include "support/await.h"
#include "support/cases.h"
#include "support/child.h"
#include "support/latch.h"

#include <string.h>

typedef struct bell {
  fut_timer timer;
  latch rung;
  fut_deadline at;       /* guarded by the lock of timers, as all below */
  unsigned rings, again; /* how often it rang, and is to set itself again */
  unsigned *order;       /* counts all bells of a test */
  unsigned place;
} bell;

static void ring(fut_timer *timer) {
  bell *self = (bell *)timer;
  self->at = fut_clock_now();
  self->rings++;
  if (self->order)
    self->place = ++*self->order;
  if (self->again > 0) {
    self->again--;
    assert_int_equal(fut_timer_set(timer, fut_clock_now() + 1000000), FUT_OK);
  } else
    latch_down(&self->rung);
}

static void bell_init(bell *self) {
  *self = (bell){.rings = 0};
  fut_timer_init(&self->timer, ring);
  latch_init(&self->rung, 1);
}

static void set(bell *self, double seconds) {
  fut_timer_lock();
  assert_int_equal(fut_timer_set(&self->timer, fut_deadline_after(seconds)),
                   FUT_OK);
  fut_timer_unlock();
}

static void unset(bell *self) {
  fut_timer_lock();
  fut_timer_unset(&self->timer);
  fut_timer_unlock();
}

static void due(void **unused) {
  (void)unused;
  bell one;
  bell_init(&one);
  fut_deadline start = fut_clock_now();
  set(&one, 0.02);
  assert_true(latch_wait(&one.rung));
  double waited = (double)(one.at - start) / 1e9;
  assert_true(waited > 0.0199 && waited < within(0.5));
  latch_fini(&one.rung);
}

static void sooner(void **unused) {
  (void)unused;
  bell late, soon;
  bell_init(&late);
  bell_init(&soon);
  set(&late, 100);
  set(&soon, 0.01);
  assert_true(latch_wait(&soon.rung));
  assert_int_equal(late.rings, 0);
  set(&late, 0.01); /* another time for one that is set */
  assert_true(latch_wait(&late.rung));
  latch_fini(&late.rung);
  latch_fini(&soon.rung);
}

static void in_order(void **unused) {
  (void)unused;
  enum { COUNT = 20 };
  static const int places[COUNT] = {7, 3, 12, 1,  19, 5, 16, 10, 0,  14,
                                    2, 8, 11, 18, 4,  9, 17, 6,  13, 15};
  bell bells[COUNT];
  unsigned order = 0;
  fut_timer_lock();
  fut_deadline start = fut_clock_now() + 20000000;
  for (int i = 0; i < COUNT; i++) {
    bell_init(&bells[i]);
    bells[i].order = &order;
    assert_int_equal(fut_timer_set(&bells[i].timer, start + places[i] * 100000),
                     FUT_OK);
  }
  fut_timer_unlock();
  for (int i = 0; i < COUNT; i++) {
    assert_true(latch_wait(&bells[i].rung));
    latch_fini(&bells[i].rung);
  }
  for (int i = 0; i < COUNT; i++)
    assert_int_equal(bells[i].place, places[i] + 1);
}

static void not_due(void **unused) {
  (void)unused;
  bell first, never, last;
  bell_init(&first);
  bell_init(&never);
  bell_init(&last);
  set(&first, 0.01);
  set(&never, 0.02);
  set(&last, 0.03);
  unset(&never);
  unset(&never); /* may be done again */
  assert_true(latch_wait(&last.rung));
  assert_int_equal(first.rings, 1);
  assert_int_equal(never.rings, 0);
  latch_fini(&first.rung);
  latch_fini(&never.rung);
  latch_fini(&last.rung);
}

static void again(void **unused) {
  (void)unused;
  bell one;
  bell_init(&one);
  one.again = 3;
  set(&one, 0);
  assert_true(latch_wait(&one.rung));
  assert_int_equal(one.rings, 4);
  latch_fini(&one.rung);
}

static void raced(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < scaled(2000); i++) {
    bell one;
    bell_init(&one);
    set(&one, (double)(i % 5) * 1e-5);
    unset(&one); /* from here on nobody touches it */
    assert_true(one.rings <= 1);
    latch_fini(&one.rung);
    memset(&one, 0xff, sizeof one);
  }
}

#ifndef FUT_TSAN /* starts no threads in a child of several threads */
static int in_child(void *context) {
  bell *parents = context;
  bell one;
  bell_init(&one);
  set(&one, 0.01);
  bool rung = latch_wait(&one.rung);
  return rung && parents->rings == 0 ? 0 : 1;
}

static void forked(void **unused) {
  (void)unused;
  bell one;
  bell_init(&one);
  set(&one, 0.005);
  fut_timer_lock(); /* not due yet */
  fut_timer_unset(&one.timer);
  assert_int_equal(fut_timer_set(&one.timer, fut_deadline_after(100)), FUT_OK);
  fut_timer_unlock();
  assert_int_equal(child_run(in_child, &one), 0);
  unset(&one);
  latch_fini(&one.rung);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE("a timer is due at its time, and not before", due),
      CASE("one that is due sooner does not wait for the others", sooner),
      CASE("timers are due in the order of their deadlines", in_order),
      CASE("one that is unset is not due", not_due),
      CASE("one that is due may be set again", again),
      CASE("one that was unset is not touched any more", raced),
#ifndef FUT_TSAN
      CASE("a forked child begins with no timer set", forked),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
