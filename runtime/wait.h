/* wait.h - blocking until futures have ended, and what else ends a wait */
#ifndef FUT_WAIT_H
#define FUT_WAIT_H

#include "completions.h"
#include "spin.h"
#include "runner.h"

/* How the calling thread waits. */
typedef struct fut_wait {
  fut_waiter *waiter;         /* of this thread; borrowed */
  fut_spin *spin;             /* of this thread; borrowed */
  fut_completions *callbacks; /* returns early when something is in it; its
                                 waiter is this thread's; NULL for none */
  fut_attention *attention;   /* returns early when this says so; NULL: never */
  void *context;              /* for attention */
  fut_runner *runner;         /* whose task waits; NULL: no worker's */
  fut_deadline deadline;
} fut_wait;

/* All three return what fut_runner_block() reports, or FUT_OK, or FUT_ETIMEDOUT
   at the deadline, FUT_EAGAIN when callbacks are due, FUT_EINTR when attention
   says so. What is waited for comes first: FUT_OK even at FUT_POLL. Block. */

/* Until the future has ended. Requires a reference. FUT_ELOST, at once, for
   one that was lost by a fork. */
fut_err fut_wait_future(const fut_wait *wait, fut_future *future);

/* Until what is wanted of queue has arrived. The queue's waiter is this
   thread's. */
fut_err fut_wait_completions(const fut_wait *wait, fut_completions *queue);

/* Until callbacks are due: never FUT_OK. */
fut_err fut_wait_callbacks(const fut_wait *wait);

#endif
