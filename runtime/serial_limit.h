/* serial_limit.h - how long a task may run in the thread that submitted it */
#ifndef FUT_SERIAL_LIMIT_H
#define FUT_SERIAL_LIMIT_H

#include "serial_watch.h"

/* Embedded by whoever runs the task, on the stack. The lock of the timers
   guards all that is not set once. */
typedef struct fut_serial_limit {
  fut_timer timer;
  fut_serial_run *run;       /* set once */
  bool over;                 /* the time is */
  fut_deadline pause;        /* until the next signal */
  fut_deadline acknowledged; /* when that was first seen, or 0 */
} fut_serial_limit;

/* The task of run, which the watch looks after, may run for so long from now
   on: FUT_OK, or there is no limit. That thread only. */
fut_err fut_serial_limit_begin(fut_serial_limit *self, fut_serial_run *run,
                               int64_t timeout);

/* It has ended: whether its time was over before. From then on it is sent no
   signal. That thread only. */
bool fut_serial_limit_end(fut_serial_limit *self);

#endif
