/* interruption_posix.c - a signal to one thread, ending what it is blocked in
 */
#include "interruption.h"

#include "check.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* A thread's own, found by the handler without a call that may allocate. */
#if defined(__GLIBC__)
#define HANDLER_SAFE __attribute__((tls_model("initial-exec")))
#else
#define HANDLER_SAFE
#endif

static _Thread_local fut_interruption *here HANDLER_SAFE;

static struct sigaction previous; /* set once, before ours is installed */

static void chain(int number, siginfo_t *info, void *machine) {
  if (previous.sa_flags & SA_SIGINFO)
    previous.sa_sigaction(number, info, machine);
  else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
    previous.sa_handler(number);
}

/* Let the signal arrive at all that are open; whether one of them was sent it.
 */
static bool arrive(fut_interruption *self) {
  if (self == NULL)
    return false;
  bool ours = arrive(self->outer);
  if (atomic_exchange(&self->sent, false))
    ours = true;
  self->arrived(self->context);
  return ours;
}

static void handle(int number, siginfo_t *info, void *machine) {
  int kept = errno;
  if (!arrive(here))
    chain(number, info, machine);
  errno = kept;
}

static void install(void) {
  CHECK(sigaction(FUT_INTERRUPTION_SIGNAL, NULL, &previous) == 0);
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
  sigemptyset(&action.sa_mask);
  CHECK(sigaction(FUT_INTERRUPTION_SIGNAL, &action, NULL) == 0);
}

void fut_interruption_install(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
}

void fut_interruption_open(fut_interruption *self,
                           void (*arrived)(void *context), void *context) {
  self->thread = pthread_self();
  self->arrived = arrived;
  self->context = context;
  atomic_init(&self->sent, false);
  self->outer = here;
  atomic_signal_fence(memory_order_seq_cst); /* partner: the handler */
  here = self;
}

void fut_interruption_close(fut_interruption *self) {
  CHECK(here == self);
  here = self->outer;
}

void fut_interruption_send(fut_interruption *self) {
  fut_interruption_install();
  atomic_store(&self->sent, true);
  pthread_kill(self->thread, FUT_INTERRUPTION_SIGNAL);
}

void fut_interruption_absorb(void) {
  /* on the way back from any call into the system, what is pending arrives */
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_BLOCK, &none, NULL);
}
