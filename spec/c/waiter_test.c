/* waiter_test.c - a thread that waits, known to those that may wake it */
#include "waiter.h"

#include "support/cases.h"
#include "support/crew.h"
#include "support/ledger.h"

static void one_thread(void **unused) {
  (void)unused;
  fut_waiter *waiter = fut_waiter_new();
  assert_int_equal(fut_waiter_sleep(waiter, FUT_POLL, NULL, NULL),
                   FUT_ETIMEDOUT);
  fut_waiter_wake(waiter);
  assert_int_equal(fut_waiter_sleep(waiter, FUT_NEVER, NULL, NULL), FUT_OK);
  fut_waiter_release(waiter);
}

static void counted(void **unused) {
  (void)unused;
  assert_false(fut_waiter_any());
  fut_waiter_enter();
  fut_waiter_enter();
  assert_true(fut_waiter_any());
  fut_waiter_leave();
  assert_true(fut_waiter_any());
  fut_waiter_leave();
  assert_false(fut_waiter_any());
}

static void no_memory(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  for (long allowed = 0;; allowed++) {
    ledger_allow(&book, allowed);
    fut_waiter *waiter = fut_waiter_new();
    if (waiter) {
      assert_true(allowed > 0);
      fut_waiter_release(waiter);
      break;
    }
    assert_int_equal(atomic_load(&book.blocks), 0);
  }
  assert_int_equal(ledger_close(&book), 0);
}

/* Member 0 waits once and is gone; member 1 wakes it. */
static void meet(void *context, unsigned index) {
  fut_waiter *waiter = context;
  if (index == 0)
    while (fut_waiter_sleep(waiter, FUT_NEVER, NULL, NULL) != FUT_OK)
      ;
  else
    fut_waiter_wake(waiter);
  fut_waiter_release(waiter);
}

static void gone(void **unused) {
  (void)unused;
  for (unsigned i = scaled(500); i > 0; i--) {
    fut_waiter *waiter = fut_waiter_new();
    fut_object_hold(&waiter->object);
    crew_run(2, meet, waiter);
  }
}

static const struct CMUnitTest waiter_tests[] = {
    CASE("a waiter keeps a wake-up until it sleeps", one_thread),
    CASE("whether anybody waits is known while somebody does", counted),
    CASE("without memory there is no waiter, and nothing is lost", no_memory),
    CASE("the woken thread may be gone before the waker is", gone),
};

int main(void) { return cmocka_run_group_tests(waiter_tests, NULL, NULL); }
