/* caller.h - what the library keeps for each thread that calls it */
#ifndef FUT_CALLER_H
#define FUT_CALLER_H

#include "call.h"
#include "wait.h"

/* Made at the first call that needs it, freed when the thread ends; used by
   that thread alone. So tasks are submitted without any lock but the queue's,
   and their memory comes back to the thread that took it. */
typedef struct caller {
  fut_arena *arena; /* of the calls that it submits */
  fut_waiter *waiter;
  fut_spin spin;
} caller;

/* Return the calling thread's, or NULL if memory ran out. */
caller *caller_get(void);

/* Return the arena of the calling thread, or NULL if it has none. */
fut_arena *caller_arena(void);

#endif
