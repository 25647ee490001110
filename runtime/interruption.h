/* interruption.h - a signal to one thread, ending what it is blocked in */
#ifndef FUT_INTERRUPTION_H
#define FUT_INTERRUPTION_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* The signal that is used. Its handler is installed when the first interruption
   is sent, without SA_RESTART, and calls the one that was there before for
   signals that are not ours. */
#define FUT_INTERRUPTION_SIGNAL SIGURG

/* A thread that can be interrupted. Embedded. */
typedef struct fut_interruption {
  pthread_t thread;               /* set by open */
  atomic_bool sent;               /* atomic: a signal of ours is under way */
  struct fut_interruption *outer; /* that of the thread before, or NULL */
  /* Called on the thread, in the signal handler, for every signal. */
  void (*arrived)(void *context); /* set by open, as context */
  void *context;
} fut_interruption;

/* From now on the calling thread can be interrupted, by the one that was open
   before as well: each signal arrives at all that are, the oldest first.
   Requires that the thread does not block the signal. */
void fut_interruption_open(fut_interruption *self,
                           void (*arrived)(void *context), void *context);

/* No longer. Requires that nobody sends one any more, and that it is the one
   opened last. That thread only. */
void fut_interruption_close(fut_interruption *self);

/* Install the handler, if that was not done: for processes that are sent the
   signal from outside. Any thread. */
void fut_interruption_install(void);

/* Send the signal. Requires that it is open and the thread has not ended. Any
   thread. Never blocks. */
void fut_interruption_send(fut_interruption *self);

/* When this returns, no signal sent before is still to arrive. That thread
   only. */
void fut_interruption_absorb(void);

#endif
