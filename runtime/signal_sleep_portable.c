/* signal_sleep_portable.c - pselect lets signals in and sleeps in one step */
#include "signal_sleep.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/select.h>

/* For a descriptor too large for select: look for so short a time that it
   does not matter if a signal comes just before. */
static fut_err glance(int descriptor, fut_deadline deadline) {
  struct pollfd fd = {.fd = descriptor, .events = POLLIN};
  int ready = poll(&fd, 1, fut_deadline_left(deadline) > 0 ? 10 : 0);
  if (ready > 0)
    return FUT_OK;
  return fut_deadline_left(deadline) == 0 ? FUT_ETIMEDOUT : FUT_EINTR;
}

fut_err fut_signal_sleep(int descriptor, fut_deadline deadline,
                         fut_attention *attention, void *context) {
  if (descriptor >= FD_SETSIZE)
    return attention(context) ? FUT_EINTR : glance(descriptor, deadline);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  fut_err err = FUT_EINTR;
  if (!attention(context)) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(descriptor, &set);
    int64_t left = fut_deadline_left(deadline);
    struct timespec ts = {.tv_sec = (time_t)(left / 1000000000),
                          .tv_nsec = (long)(left % 1000000000)};
    int ready = pselect(descriptor + 1, &set, NULL, NULL,
                        deadline == FUT_NEVER ? NULL : &ts, &before);
    err = ready > 0 ? FUT_OK : ready == 0 ? FUT_ETIMEDOUT : FUT_EINTR;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return err;
}
