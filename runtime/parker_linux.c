/* parker_linux.c - a parker on a futex, and on a descriptor for long sleeps

   state is EMPTY, TOKEN, or tells where the owner sleeps. A wake-up puts
   TOKEN there and then wakes who slept: in the kernel by the word, by the
   event, or by the doorbell, which wakes all that sleep at it. Only the owner
   leaves TOKEN.

   A futex sleep begins with a check of the word, not of signals; so a signal
   that arrives just before goes unnoticed. Attentive sleeps are therefore
   short (SHORT_SLEEP) at first and go on by fut_signal_sleep(). */
#include "parker.h"

#include "doorbell.h"
#include "event.h"
#include "memory.h"
#include "signal_sleep.h"
#include "thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EMPTY, TOKEN, IN_FUTEX, ON_EVENT, AT_DOORBELL };

#define SHORT_SLEEP ((int64_t)100000000) /* ns */

struct fut_parker {
  atomic_int state;
  bool has_event;      /* owner only; true before the first ON_EVENT */
  unsigned generation; /* owner only: of forks, when the event was opened */
  fut_event event;
};

fut_parker *fut_parker_new(void) {
  fut_parker *parker = fut_memory_new(sizeof *parker);
  if (parker) {
    atomic_init(&parker->state, EMPTY);
    parker->has_event = false;
  }
  return parker;
}

void fut_parker_free(fut_parker *parker) {
  if (parker && parker->has_event)
    fut_event_close(&parker->event);
  fut_memory_free(parker);
}

void fut_parker_unpark(fut_parker *parker) {
  int before = atomic_exchange(&parker->state, TOKEN);
  if (before == IN_FUTEX)
    syscall(SYS_futex, &parker->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  else if (before == ON_EVENT)
    fut_event_set(&parker->event);
  else if (before == AT_DOORBELL && fut_doorbell_made())
    fut_doorbell_ring(fut_doorbell_made()); /* none: it slept in the parent */
}

/* Go from EMPTY to the place of a sleep; false if there was a TOKEN. */
static bool lie_down(fut_parker *parker, int place) {
  int expected = EMPTY;
  return atomic_compare_exchange_strong(&parker->state, &expected, place);
}

/* Take what woke us: true for a TOKEN. */
static bool get_up(fut_parker *parker) {
  return atomic_exchange(&parker->state, EMPTY) == TOKEN;
}

static fut_err futex_sleep(fut_parker *parker, int64_t ns) {
  if (!lie_down(parker, IN_FUTEX)) {
    get_up(parker);
    return FUT_OK;
  }
  struct timespec ts = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  long result = syscall(SYS_futex, &parker->state, FUTEX_WAIT_PRIVATE, IN_FUTEX,
                        ns == INT64_MAX ? NULL : &ts, NULL, 0);
  int why = result == 0 ? 0 : errno;
  if (get_up(parker))
    return FUT_OK;
  return why == ETIMEDOUT ? FUT_ETIMEDOUT : FUT_EINTR;
}

fut_err fut_parker_park_at(fut_parker *parker, fut_doorbell *doorbell,
                           unsigned rung, fut_deadline deadline) {
  int64_t left = fut_deadline_left(deadline);
  if (left == 0)
    return get_up(parker) ? FUT_OK : FUT_ETIMEDOUT;
  if (!lie_down(parker, AT_DOORBELL)) {
    get_up(parker);
    return FUT_OK;
  }
  struct timespec ts = {.tv_sec = left / 1000000000,
                        .tv_nsec = left % 1000000000};
  long result = syscall(SYS_futex, &doorbell->rung, FUTEX_WAIT, rung,
                        left == INT64_MAX ? NULL : &ts, NULL, 0);
  int why = result == 0 ? EAGAIN : errno;
  if (get_up(parker) || why == EAGAIN)
    return FUT_OK;
  return why == ETIMEDOUT ? FUT_ETIMEDOUT : FUT_EINTR;
}

static fut_err event_sleep(fut_parker *parker, fut_deadline deadline,
                           fut_attention *attention, void *context) {
  if (!lie_down(parker, ON_EVENT)) {
    get_up(parker);
    return FUT_OK;
  }
  fut_err err =
      fut_signal_sleep(parker->event.readable, deadline, attention, context);
  if (get_up(parker)) {
    /* the waker sets the event after TOKEN, maybe after this: a stale one
       only makes a later sleep end early */
    fut_event_clear(&parker->event);
    return FUT_OK;
  }
  if (err == FUT_OK)
    fut_event_clear(&parker->event);
  return err == FUT_OK ? FUT_EINTR : err;
}

/* Have an event of this process: the parent's would take its wake-ups. */
static bool own_event(fut_parker *parker) {
  unsigned generation = fut_thread_generation();
  if (parker->has_event && parker->generation != generation) {
    fut_event_close(&parker->event);
    parker->has_event = false;
  }
  if (!parker->has_event)
    parker->has_event = fut_event_open(&parker->event) == FUT_OK;
  parker->generation = generation;
  return parker->has_event;
}

fut_err fut_parker_park(fut_parker *parker, fut_deadline deadline,
                        fut_attention *attention, void *context) {
  int64_t left = fut_deadline_left(deadline);
  if (left == 0)
    return get_up(parker) ? FUT_OK : FUT_ETIMEDOUT;
  if (attention == NULL || left <= SHORT_SLEEP)
    return futex_sleep(parker, left);
  fut_err err = futex_sleep(parker, SHORT_SLEEP);
  if (err != FUT_ETIMEDOUT)
    return err;
  if (!own_event(parker)) /* no descriptor to spare: look again often */
    return FUT_EINTR;
  return event_sleep(parker, deadline, attention, context);
}
