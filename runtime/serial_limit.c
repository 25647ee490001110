/* serial_limit.c - how long a task may run in the thread that submitted it

   When the time is over, the timers' thread sends that thread the signal by
   which tasks are stopped, again and again until that is acknowledged, and
   after a while for the task to clean up once more. A task that is stuck where
   no signal reaches it goes on: nobody else could take the thread from it. */
#include "serial_limit.h"

#include <stddef.h>

#define FIRST_PAUSE_NS 2000000
#define LAST_PAUSE_NS 100000000
#define GRACE_NS 100000000 /* for a task that cleans up */

/* Send a signal, and see to the next one. Assumes the lock held. */
static void press(fut_serial_limit *self) {
  fut_serial_run *run = self->run;
  fut_deadline now = fut_clock_now(), next = now + self->pause;
  self->over = true;
  atomic_store(&run->expired, true);
  if (atomic_load(&run->report->acknowledged) && self->acknowledged == 0)
    self->acknowledged = now;
  if (self->acknowledged && now - self->acknowledged < GRACE_NS)
    next = self->acknowledged + GRACE_NS;
  else
    fut_interruption_send(&run->interruption);
  if (self->pause < LAST_PAUSE_NS)
    self->pause *= 2;
  fut_timer_set(&self->timer, next); /* it was set: there is a thread */
}

static void due(fut_timer *timer) {
  press((fut_serial_limit *)(void *)((char *)timer -
                                     offsetof(fut_serial_limit, timer)));
}

fut_err fut_serial_limit_begin(fut_serial_limit *self, fut_serial_run *run,
                               int64_t timeout) {
  fut_timer_init(&self->timer, due);
  self->run = run;
  self->over = false;
  self->pause = FIRST_PAUSE_NS;
  self->acknowledged = 0;
  fut_deadline now = fut_clock_now();
  fut_timer_lock();
  fut_err err = fut_timer_set(
      &self->timer, timeout < FUT_NEVER - now ? now + timeout : FUT_NEVER);
  if (err == FUT_OK && timeout <= 0)
    press(self);
  fut_timer_unlock();
  return err;
}

bool fut_serial_limit_end(fut_serial_limit *self) {
  fut_timer_lock();
  fut_timer_unset(&self->timer);
  bool over = self->over;
  fut_timer_unlock();
  if (over)
    fut_interruption_absorb();
  return over;
}
