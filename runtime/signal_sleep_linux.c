/* signal_sleep_linux.c - ppoll lets signals in and sleeps in one step */
#include "signal_sleep.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

fut_err fut_signal_sleep(int descriptor, fut_deadline deadline,
                         fut_attention *attention, void *context) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  fut_err err = FUT_EINTR;
  if (!attention(context)) {
    struct pollfd fd = {.fd = descriptor, .events = POLLIN};
    int64_t left = fut_deadline_left(deadline);
    struct timespec ts = {.tv_sec = left / 1000000000,
                          .tv_nsec = left % 1000000000};
    int ready = ppoll(&fd, 1, deadline == FUT_NEVER ? NULL : &ts, &before);
    err = ready > 0 ? FUT_OK : ready == 0 ? FUT_ETIMEDOUT : FUT_EINTR;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return err;
}
