/* spin.h - whether it pays to look around for a moment before sleeping */
#ifndef FUT_SPIN_H
#define FUT_SPIN_H

#include "clock.h"

#include <stdbool.h>

/* What one thread has learnt of its own waits. Embedded; owner only. */
typedef struct fut_spin {
  unsigned skip;       /* sleeps to go without a look: 0, then 1, 2, 4, ... */
  unsigned left;       /* of them, those that are still to come */
  fut_deadline until;  /* of the look around under way */
  fut_deadline asleep; /* since when it sleeps */
} fut_spin;

void fut_spin_init(fut_spin *spin);

/* Begin to look around: false if it does not pay, or if more threads of the
   library are awake than there are CPUs. Requires that the caller is counted
   as awake. */
bool fut_spin_begin(fut_spin *spin);

/* Pause for an instant; false when it has been long enough. */
bool fut_spin_again(fut_spin *spin);

/* End it: found tells whether it was worth it. */
void fut_spin_end(fut_spin *spin, bool found);

/* Say that the thread goes to sleep, and that it woke up for a reason. */
void fut_spin_asleep(fut_spin *spin);
void fut_spin_woken(fut_spin *spin);

/* Count the calling thread as awake, or no longer: workers from their start,
   but for sleep, callers while they look around. */
void fut_spin_count(int change);

/* In a forked child: the threads that were counted are gone. */
void fut_spin_forked(void);

#endif
