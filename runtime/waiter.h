/* waiter.h - a thread that waits, known to those that may wake it */
#ifndef FUT_WAITER_H
#define FUT_WAITER_H

#include "object.h"
#include "parker.h"

#include <stdbool.h>

/* Counted: whoever is about to wake it holds a reference, so the thread may
   go on and end meanwhile. */
typedef struct fut_waiter {
  fut_object object;
  fut_parker *parker;
} fut_waiter;

/* Return a waiter for one thread, or NULL if memory ran out. The caller owns
   the reference and ends it with fut_waiter_release(). */
fut_waiter *fut_waiter_new(void);
void fut_waiter_release(fut_waiter *waiter);

/* Let the thread go. Any thread that holds a reference. Never blocks. */
void fut_waiter_wake(fut_waiter *waiter);

/* As fut_parker_park(). Owner only. */
fut_err fut_waiter_sleep(fut_waiter *waiter, fut_deadline deadline,
                         fut_attention *attention, void *context);

/* Whether any thread of the process waits for a future: workers then hurry
   instead of gathering tasks. Any thread. */
bool fut_waiter_any(void);

/* Count the calling thread as one that waits, from enter to leave, also
   while it looks around before it sleeps. */
void fut_waiter_enter(void);
void fut_waiter_leave(void);

/* In a forked child: the threads that were counted are gone. */
void fut_waiter_forked(void);

#endif
