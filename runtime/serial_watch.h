/* serial_watch.h - Ctrl-C for tasks that run in the thread that submitted them
 */
#ifndef FUT_SERIAL_WATCH_H
#define FUT_SERIAL_WATCH_H

#include "interruption.h"
#include "parker.h"
#include "thread_pool.h"
#include "timer.h"

/* A task that runs, or what it needs before. Embedded by whoever runs it, on
   the stack; used by that thread only, and in its signal handler. */
typedef struct fut_serial_run {
  fut_interruption interruption;
  const fut_worker_ops *ops;
  fut_attention *wanted; /* whether the submitter is to be interrupted: asked in
                            the signal handler; NULL: never */
  void *context;         /* of wanted */
  fut_worker_report *report;
  fut_worker_local **local; /* where it is or will be; NULL there: not yet */
  bool watched;             /* by the watch of its executor */
  atomic_bool expired;      /* atomic: its time is over (serial_limit.h) */
} fut_serial_run;

/* Embedded in an executor. The lock of the timers guards what is neither atomic
   nor set once. */
typedef struct fut_serial_watch {
  fut_timer timer;
  _Atomic(fut_serial_run *) run; /* atomic: under way; NULL: none, or none to be
                                    watched */
  atomic_bool ticking;           /* atomic, changed under the lock */
  atomic_bool pressed;           /* atomic: it may have been sent signals */
  bool ticked;                   /* owner only, then fini: the lock was taken */
  bool handled;                  /* SIGINT had a handler when last seen */
  unsigned tries;                /* signals to be sent, unless one stops it */
  fut_deadline pause;            /* until the next one */
  fut_deadline acknowledged;     /* when that was first seen, or 0 */
} fut_serial_watch;

void fut_serial_watch_init(fut_serial_watch *self);

/* Requires that nothing runs. Any thread, holding no lock of the library. */
void fut_serial_watch_fini(fut_serial_watch *self);

/* All but interruption and watched of run is set: look after it from now on.
   False, and it is not, if it is wanted already that nothing runs. */
bool fut_serial_watch_begin(fut_serial_watch *self, fut_serial_run *run);

/* No longer: what was asked of it concerns nothing else. That thread only. */
void fut_serial_watch_end(fut_serial_watch *self, fut_serial_run *run);

#endif
