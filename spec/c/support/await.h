/* await.h - waiting in tests: for a future, for a condition, never for ever */
#ifndef SPEC_AWAIT_H
#define SPEC_AWAIT_H

#include "cases.h"
#include "wait.h"

/* Wait for the end of a future; false if that takes far too long. */
static inline bool await(fut_future *future) {
  fut_spin spin;
  fut_spin_init(&spin);
  fut_wait wait = {.waiter = fut_waiter_new(),
                   .spin = &spin,
                   .deadline = fut_deadline_after(within(20))};
  fut_err err = fut_wait_future(&wait, future);
  fut_waiter_release(wait.waiter);
  return err == FUT_OK;
}

/* Block for so long and do nothing: for what is measured, or must not come. */
static inline void pause_for(double seconds) {
  fut_parker *parker = fut_parker_new();
  fut_deadline until = fut_deadline_after(seconds);
  while (fut_deadline_left(until) > 0)
    fut_parker_park(parker, until, NULL, NULL);
  fut_parker_free(parker);
}

/* Ask until the answer is true; false if that takes far too long. */
static inline bool eventually(bool (*question)(void *context), void *context) {
  fut_deadline limit = fut_deadline_after(within(20));
  while (!question(context)) {
    if (fut_deadline_left(limit) == 0)
      return false;
    pause_for(0.0005);
  }
  return true;
}

#endif
