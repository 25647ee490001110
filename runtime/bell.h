/* bell.h - where a process sleeps until another one wakes it */
#ifndef FUT_BELL_H
#define FUT_BELL_H

#include "clock.h"
#include "error.h"

#include <stdatomic.h>
#include <stdbool.h>

/* The part in shared memory; zeros to begin with. One thread sleeps on it. */
typedef struct fut_bell {
  atomic_uint rung;   /* atomic: grows with each ring */
  atomic_bool asleep; /* atomic: the sleeper is about to sleep, or does */
} fut_bell;

/* What a process needs besides to ring a bell, or to sleep on it: descriptors
   where the system has no other way, else -1. */
typedef struct fut_bell_cord {
  int sleeper, ringer;
} fut_bell_cord;

/* Make a cord, closed on exec. FUT_ENOMEM: no descriptor. */
fut_err fut_bell_cord_open(fut_bell_cord *cord);
void fut_bell_cord_close(fut_bell_cord *cord);

/* Whether anybody who sees the bell can ring it, without its cord. */
bool fut_bell_cordless(void);

/* Wake the sleeper, or keep it from falling asleep. What was written before is
   seen by it. Any thread of any process. Never blocks. */
void fut_bell_ring(fut_bell *bell, const fut_bell_cord *cord);

/* Return what fut_bell_wait() wants to know: to be called before looking for
   that which is waited for. */
static inline unsigned fut_bell_rung(fut_bell *bell) {
  return atomic_load(&bell->rung);
}

/* Sleep unless the bell was rung since, until it is or the deadline has passed;
   may return early. Blocks. Sleeper only. */
void fut_bell_wait(fut_bell *bell, const fut_bell_cord *cord, unsigned rung,
                   fut_deadline deadline);

#endif
