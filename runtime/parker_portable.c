/* parker_portable.c - a parker on a condition variable, and on a descriptor
   for long sleeps

   What parker_linux.c says of signals holds here too, and more so: a sleep on
   a condition does not end for a signal at all. */
#include "parker.h"

#include "check.h"
#include "event.h"
#include "fork.h"
#include "memory.h"
#include "signal_sleep.h"

#include <time.h>

#define SHORT_SLEEP ((int64_t)50000000) /* ns */

struct fut_parker {
  fut_mutex mutex;
  fut_fork_guard guard; /* of mutex */
  pthread_cond_t woken;
  bool token;          /* guarded by mutex */
  bool on_event;       /* guarded by mutex: the owner sleeps on the event */
  bool has_event;      /* owner only; true before the first on_event */
  unsigned generation; /* owner only: of forks, when the event was opened */
  fut_event event;
};

fut_parker *fut_parker_new(void) {
  fut_parker *parker = fut_memory_new(sizeof *parker);
  if (parker == NULL)
    return NULL;
  fut_mutex_init(&parker->mutex);
  fut_fork_guard_init(&parker->guard, &parker->mutex, FUT_FORK_PARKER);
#ifdef __APPLE__
  CHECK(pthread_cond_init(&parker->woken, NULL) == 0);
#else
  pthread_condattr_t attributes;
  CHECK(pthread_condattr_init(&attributes) == 0);
  CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
  CHECK(pthread_cond_init(&parker->woken, &attributes) == 0);
  pthread_condattr_destroy(&attributes);
#endif
  parker->token = parker->on_event = parker->has_event = false;
  return parker;
}

void fut_parker_free(fut_parker *parker) {
  if (parker == NULL)
    return;
  if (parker->has_event)
    fut_event_close(&parker->event);
  pthread_cond_destroy(&parker->woken);
  fut_fork_guard_fini(&parker->guard);
  fut_mutex_fini(&parker->mutex);
  fut_memory_free(parker);
}

void fut_parker_unpark(fut_parker *parker) {
  fut_mutex_lock(&parker->mutex);
  if (!parker->token) {
    parker->token = true;
    if (parker->on_event)
      fut_event_set(&parker->event);
    else
      pthread_cond_signal(&parker->woken);
  }
  fut_mutex_unlock(&parker->mutex);
}

/* Sleep for so many nanoseconds at most. Assumes mutex held. */
static void condition_sleep(fut_parker *parker, int64_t ns) {
  if (ns == INT64_MAX) {
    pthread_cond_wait(&parker->woken, &parker->mutex.handle);
    return;
  }
  struct timespec ts;
#ifdef __APPLE__
  ts = (struct timespec){ns / 1000000000, ns % 1000000000};
  pthread_cond_timedwait_relative_np(&parker->woken, &parker->mutex.handle,
                                     &ts);
#else
  int64_t until = fut_clock_now() + ns;
  ts.tv_sec = (time_t)(until / 1000000000);
  ts.tv_nsec = (long)(until % 1000000000);
  pthread_cond_timedwait(&parker->woken, &parker->mutex.handle, &ts);
#endif
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
  fut_err err = FUT_EINTR; /* also: woken for no reason, look again */
  fut_mutex_lock(&parker->mutex);
  int64_t left = fut_deadline_left(deadline);
  int64_t piece = attention && left > SHORT_SLEEP ? SHORT_SLEEP : left;
  fut_deadline end = piece == INT64_MAX ? FUT_NEVER : fut_clock_now() + piece;
  while (!parker->token && fut_deadline_left(end) > 0)
    condition_sleep(parker, fut_deadline_left(end));
  if (!parker->token && piece < left) {
    if (own_event(parker)) {
      parker->on_event = true;
      fut_mutex_unlock(&parker->mutex);
      err = fut_signal_sleep(parker->event.readable, deadline, attention,
                             context);
      fut_mutex_lock(&parker->mutex);
      parker->on_event = false;
      fut_event_clear(&parker->event);
    }
  } else if (!parker->token)
    err = FUT_ETIMEDOUT;
  if (parker->token)
    err = FUT_OK;
  else if (err == FUT_OK)
    err = FUT_EINTR;
  parker->token = false;
  fut_mutex_unlock(&parker->mutex);
  return err;
}

fut_err fut_parker_park_at(fut_parker *parker, struct fut_doorbell *doorbell,
                           unsigned rung, fut_deadline deadline) {
  (void)doorbell; /* there is none to be had */
  (void)rung;
  return fut_parker_park(parker, deadline, NULL, NULL);
}
