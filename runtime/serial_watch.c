/* serial_watch.c - Ctrl-C for tasks that run in the thread that submitted them

   Ctrl-C of the standard interpreter sets a hook on the state that submits, not
   on that of the task, which runs in the same thread: nobody would look at it.
   Only that thread may, and a signal makes it do so amid whatever the task
   does; but signals end system calls, and a task that nobody interrupts must
   not notice. There is one thing that every thread may look at, and that
   changes with Ctrl-C: the interpreter's handler makes the next SIGINT a deadly
   one. So a timer looks at the disposition of SIGINT while tasks run, and when
   a handler has gone it sends that thread the signal by which tasks are
   stopped. The signal handler there asks whether the submitter is to be
   interrupted, and stops the task if so.

   The timer ticks from one task to the next, and ends with the first tick that
   finds none: a brief task costs no more than a few atomic steps.

   A signal is sent under the lock of the timers, to a run that was there after
   `pressed` was set; who ends the run takes it away, then looks at `pressed`,
   and then takes that lock and lets the signal arrive. So no signal is sent to
   a run that is over, nor hits what comes after.

   Runs inside of others, and those on workers, are not watched. The signal that
   stops what is around them reaches them as well, from the outside in: what
   runs in there is to end when its submitter is. */
#include "serial_watch.h"

#include <stddef.h>

#define LOOK_NS 50000000 /* how long Ctrl-C may go unnoticed */
#define TRIES 6          /* signals until nobody knows of an interrupt */
#define FIRST_PAUSE_NS 2000000
#define LAST_PAUSE_NS 100000000
#define GRACE_NS 100000000 /* for a task that cleans up */

/* In the signal handler, or before what it is for. */
static void arrived(void *context) {
  fut_serial_run *run = context;
  if (atomic_load(&run->expired) || (run->wanted && run->wanted(run->context)))
    atomic_store(&run->report->asked, true);
  fut_worker_local *local = *run->local;
  if (local && run->ops && run->ops->interrupt)
    run->ops->interrupt(local);
}

static bool interrupt_handled(void) {
  struct sigaction action;
  if (sigaction(SIGINT, NULL, &action) != 0)
    return false;
  return (action.sa_flags & SA_SIGINFO) ||
         (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

/* Send the next signal; return when the one after is due. Assumes the lock
   held. */
static fut_deadline press(fut_serial_watch *self, fut_deadline now) {
  atomic_store(&self->pressed, true);
  fut_serial_run *run = atomic_load(&self->run);
  if (run == NULL) { /* the submitter runs again, and sees for itself */
    self->tries = 0;
    return now + LOOK_NS;
  }
  fut_worker_report *report = run->report;
  if (!atomic_load(&report->asked))
    self->tries--;
  if (atomic_load(&report->acknowledged) && self->acknowledged == 0)
    self->acknowledged = now;
  if (self->acknowledged && now - self->acknowledged < GRACE_NS)
    return self->acknowledged + GRACE_NS;
  fut_interruption_send(&run->interruption);
  fut_deadline next = now + self->pause;
  if (self->pause < LAST_PAUSE_NS)
    self->pause *= 2;
  return next;
}

static void look(fut_timer *timer) {
  fut_serial_watch *self =
      (fut_serial_watch *)(void *)((char *)timer -
                                   offsetof(fut_serial_watch, timer));
  fut_deadline now = fut_clock_now();
  bool handled = interrupt_handled();
  if (self->handled && !handled) {
    self->tries = TRIES;
    self->pause = FIRST_PAUSE_NS;
    self->acknowledged = 0;
  }
  self->handled = handled;
  fut_deadline next = self->tries > 0 ? press(self, now) : now + LOOK_NS;
  atomic_store(&self->ticking, false);
  /* who begins to run then sees that, or is seen */
  if (atomic_load(&self->run) == NULL)
    return;
  atomic_store(&self->ticking, true);
  fut_timer_set(&self->timer, next);
}

static void start_ticking(fut_serial_watch *self) {
  fut_timer_lock();
  if (!atomic_load(&self->ticking)) {
    self->ticked = true;
    self->handled = interrupt_handled();
    bool ticking =
        self->handled &&
        fut_timer_set(&self->timer, fut_clock_now() + LOOK_NS) == FUT_OK;
    atomic_store(&self->ticking, ticking); /* without, it is as it was */
  }
  fut_timer_unlock();
}

void fut_serial_watch_init(fut_serial_watch *self) {
  fut_timer_init(&self->timer, look);
  atomic_init(&self->run, NULL);
  atomic_init(&self->ticking, false);
  atomic_init(&self->pressed, false);
  self->ticked = self->handled = false;
  self->tries = 0;
  self->pause = 0;
  self->acknowledged = 0;
}

void fut_serial_watch_fini(fut_serial_watch *self) {
  if (!self->ticked) /* the timer's thread has never heard of it */
    return;
  fut_timer_lock();
  fut_timer_unset(&self->timer);
  fut_timer_unlock();
}

bool fut_serial_watch_begin(fut_serial_watch *self, fut_serial_run *run) {
  fut_interruption_open(&run->interruption, arrived, run);
  run->watched = run->wanted && run->interruption.outer == NULL;
  if (run->watched) {
    atomic_store(&self->run, run);
    if (!atomic_load(&self->ticking))
      start_ticking(self);
  }
  /* after the look at SIGINT: an interrupt came before this, or after that */
  if (run->wanted == NULL || !run->wanted(run->context))
    return true;
  fut_serial_watch_end(self, run);
  return false;
}

void fut_serial_watch_end(fut_serial_watch *self, fut_serial_run *run) {
  if (run->watched) {
    atomic_store(&self->run, NULL);
    if (atomic_load(&self->pressed)) {
      fut_timer_lock();
      atomic_store(&self->pressed, false);
      self->tries = 0;
      fut_timer_unlock();
      fut_interruption_absorb();
    }
  }
  fut_interruption_close(&run->interruption);
  atomic_store(&run->report->asked, false);
  atomic_store(&run->report->acknowledged, false);
}
