/* fork.h - locks that a child process must find free */
#ifndef FUT_FORK_H
#define FUT_FORK_H

#include "thread.h"

/* In the order in which they are taken when several are held. */
typedef enum fut_fork_rank {
  FUT_FORK_CIRCLES,
  FUT_FORK_ARENA,
  FUT_FORK_PARKER,
  FUT_FORK_RANKS
} fut_fork_rank;

/* Makes fork() wait until the mutex is free, so that it and what it guards
   are whole in the child, where no thread is left that could free it. Needed
   for what objects of before and after the fork share. Embedded beside the
   mutex. */
typedef struct fut_fork_guard {
  struct fut_fork_guard *next, *prev; /* guarded by the list's mutex */
  fut_mutex *mutex;                   /* set once */
} fut_fork_guard;

/* Requires a mutex that lasts until fut_fork_guard_fini(). Both: any thread
   that holds no lock of the library. */
void fut_fork_guard_init(fut_fork_guard *guard, fut_mutex *mutex,
                         fut_fork_rank rank);
void fut_fork_guard_fini(fut_fork_guard *guard);

#endif
