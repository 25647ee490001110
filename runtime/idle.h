/* idle.h - which workers sleep or search, and whom a new task wakes */
#ifndef FUT_IDLE_H
#define FUT_IDLE_H

#include "parker.h"
#include "thread.h"

#include <stdatomic.h>

/* A worker's place among the sleepers. Embedded. */
typedef struct fut_sleeper {
  struct fut_sleeper *next; /* guarded by the mutex of fut_idle */
  bool listed;              /* guarded by the mutex of fut_idle */
  fut_parker *parker;       /* set once; borrowed */
} fut_sleeper;

/* A worker is busy, or searches for a task, or sleeps. A task wakes a sleeper
   only if nobody searches; the last one that stops searching because it found
   a task wakes the next if there are more. Every change from searching to
   another state is one step on `searching`, followed by a last look. */
typedef struct fut_idle {
  atomic_int searching; /* atomic: workers awake without a task, from the
                           moment somebody decides to wake or start them */
  atomic_int wakeable;  /* atomic, changed under mutex: sleepers + startable */
  fut_mutex mutex;
  fut_sleeper *sleepers; /* guarded by mutex; the last to sleep is first */
  unsigned startable;    /* guarded by mutex: workers not started yet */
  atomic_uint asleep;    /* atomic, changed under mutex: sleepers */
  int limit;             /* set once: all workers, startable ones too */
  int lost;              /* guarded by mutex: those that could not be started */
  int spares;            /* set once: see fut_idle_add_spares() */
  atomic_int blocked;    /* atomic: workers that a task keeps asleep */
} fut_idle;

typedef enum fut_wake {
  FUT_WAKE_NOBODY, /* somebody searches already, or all are busy */
  FUT_WAKE_WOKEN,  /* a sleeper was woken */
  FUT_WAKE_START   /* the caller must start a worker, which searches */
} fut_wake;

/* All workers are still to be started. */
void fut_idle_init(fut_idle *idle, unsigned workers);
void fut_idle_fini(fut_idle *idle);

/* Once, before the first use: allow so many workers more, of which one may be
   awake for each that is blocked. */
void fut_idle_add_spares(fut_idle *idle, unsigned spares);

/* A busy worker blocks, unless it would be the last of all: then false. The
   caller looks afterwards whether there is a task, and wakes. */
bool fut_idle_block(fut_idle *idle);
void fut_idle_unblock(fut_idle *idle);

/* Return how many workers are blocked. Any thread. */
unsigned fut_idle_blocked(const fut_idle *idle);

/* Whether more workers are awake and not blocked than is allowed: one that
   searches then sleeps instead. Any thread. */
bool fut_idle_surplus(const fut_idle *idle);

/* Whether one more worker may be awake. Any thread. */
bool fut_idle_permitted(const fut_idle *idle);

/* Whether every worker sleeps or was not started. Any thread. */
bool fut_idle_all_asleep(fut_idle *idle);

/* See that somebody searches, after publishing a task. Any thread. */
fut_wake fut_idle_wake(fut_idle *idle);

/* The worker of FUT_WAKE_START could not be started: let go of it, and wake a
   sleeper in its place; again tells whether it may be tried another time. Any
   thread. */
void fut_idle_not_started(fut_idle *idle, bool again);

/* One more worker may be started: one has ended. The caller must then look
   whether there is a task, and wake somebody. Any thread. */
void fut_idle_grow(fut_idle *idle);

/* Wake all sleepers. Any thread. */
void fut_idle_wake_all(fut_idle *idle);

/* Return how many workers search or sleep. Any thread. */
unsigned fut_idle_count(fut_idle *idle);

/* A busy worker begins to search. */
void fut_idle_search(fut_idle *idle);

/* A searching worker has found a task, or ends: true if nobody searches now,
   so that the caller must look whether there is more and wake the next. */
bool fut_idle_found(fut_idle *idle);

/* A searching worker sleeps until it is woken, and then searches again.
   anything(context) is the last look, with no lock held: true means do not
   sleep. False if the deadline passed. Blocks. Worker only. */
bool fut_idle_sleep(fut_idle *idle, fut_sleeper *sleeper,
                    bool (*anything)(void *context), void *context,
                    fut_deadline deadline);

#endif
