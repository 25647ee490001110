/* parker.h - where one thread sleeps until another wakes it */
#ifndef FUT_PARKER_H
#define FUT_PARKER_H

#include "clock.h"
#include "error.h"

#include <stdbool.h>

typedef struct fut_parker fut_parker;
struct fut_doorbell;

/* Return a parker for one sleeping thread, or NULL if memory ran out.
   The caller owns it and ends it with fut_parker_free(). */
fut_parker *fut_parker_new(void);

/* Requires that no thread sleeps on it or will wake it. NULL is ignored. */
void fut_parker_free(fut_parker *parker);

/* Let the sleeper go, or its next park return at once. Several wake-ups
   before a park count as one. Any thread. Never blocks. */
void fut_parker_unpark(fut_parker *parker);

/* Asked right before a sleep that nothing but a signal may end, with signals
   held back: return true if there is something to attend to instead. */
typedef bool fut_attention(void *context);

/* Sleep until woken (FUT_OK), until the deadline (FUT_ETIMEDOUT), or until a
   signal handler ran in this thread (FUT_EINTR). With attention, no signal is
   missed: one that comes before the sleep is asked for by attention within
   0.1 s. Without (NULL), signals may go unnoticed. Blocks. Owner only. */
fut_err fut_parker_park(fut_parker *parker, fut_deadline deadline,
                        fut_attention *attention, void *context);

/* Sleep at the doorbell, which must not have been rung since it stood at rung:
   until it is rung or the parker woken (FUT_OK), until the deadline
   (FUT_ETIMEDOUT) or a signal handler ran (FUT_EINTR). As fut_parker_park() is
   without attention. Requires a doorbell. Blocks. Owner only. */
fut_err fut_parker_park_at(fut_parker *parker, struct fut_doorbell *doorbell,
                           unsigned rung, fut_deadline deadline);

#endif
