/* doorbell.h - one bell for all threads of this process that wait; workers in
   other processes ring it */
#ifndef FUT_DOORBELL_H
#define FUT_DOORBELL_H

#include <stdatomic.h>

/* In a page that this process shares with all its workers. */
typedef struct fut_doorbell {
  atomic_uint rung;   /* atomic: grows with each ring */
  atomic_uint asleep; /* atomic: threads of this process that sleep at it, or
                         are about to */
} fut_doorbell;

/* Return the doorbell of this process and the descriptor of its page, which
   both stay until its end; a forked child makes another. NULL where there is
   no such thing, or no memory. Any thread. */
fut_doorbell *fut_doorbell_here(int *fd);

/* Return it if it was made already, else NULL. Any thread. Never blocks. */
fut_doorbell *fut_doorbell_made(void);

/* Count the calling thread as one that sleeps at it, or no longer. */
void fut_doorbell_enter(fut_doorbell *doorbell);
void fut_doorbell_leave(fut_doorbell *doorbell);

/* In a worker: map the doorbell of the parent; NULL: there is none. */
fut_doorbell *fut_doorbell_open(int fd);

/* Wake all that sleep at it, and keep from sleeping those about to. Any
   process. Never blocks. */
void fut_doorbell_ring(fut_doorbell *doorbell);

#endif
