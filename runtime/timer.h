/* timer.h - calls that a thread of its own makes when their time has come */
#ifndef FUT_TIMER_H
#define FUT_TIMER_H

#include "clock.h"
#include "error.h"

#include <stdbool.h>

/* Embedded. All timers of the process share one lock, which is taken before
   any other of the library, and one thread, which runs while some are set and
   for a second after. Children of fork() begin with no timer set. */
typedef struct fut_timer {
  struct fut_timer *next, *prev; /* guarded by the lock, as all but due */
  fut_deadline deadline;
  bool set;
  /* Make the call, once for each time it was set; it may set it again. With
     the lock held: must not block, run user code or take long. */
  void (*due)(struct fut_timer *timer); /* set once */
} fut_timer;

void fut_timer_init(fut_timer *timer, void (*due)(fut_timer *timer));

/* Any thread; not while it holds another lock of the library. */
void fut_timer_lock(void);
void fut_timer_unlock(void);

/* Let it become due at deadline, whenever it was to before. FUT_ENOMEM and
   FUT_ETHREAD: it is not set. Assumes the lock held. */
fut_err fut_timer_set(fut_timer *timer, fut_deadline deadline);

/* It shall not become due. Assumes the lock held. */
void fut_timer_unset(fut_timer *timer);

#endif
