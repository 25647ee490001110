/* process_parent.h - a process pool from inside: what its step and its keeper
   share */
#ifndef FUT_PROCESS_PARENT_H
#define FUT_PROCESS_PARENT_H

#include "children.h"
#include "executor.h"
#include "link.h"
#include "progress.h"
#include "queue.h"
#include "shelf.h"
#include "thread.h"

struct pollfd;

/* The parent's work is one step: collect what is done, hand out what waits,
   wake who sleeps. Whoever comes along makes it: who submits, who waits
   (progress.h), or the keeper, a thread that sleeps until a worker rings, one
   ends, or a time is up. The keeper also starts and buries workers. So tasks go
   on whatever the submitting thread does, and whoever waits is served by the
   worker directly.

   `mutex` guards slots and children. Nobody waits for it to make a step: who
   finds it taken leaves a note (`wanted`), and whoever holds it looks for notes
   after it has given it back. Under it futures end, so locks of arenas,
   completion queues, rooms and parkers are taken; no user code runs.

   Who keeps the pool: its owners and tasks, by references, and the keeper until
   no worker is left. */
typedef struct fut_process_pool {
  fut_executor executor;
  fut_progress progress;
  fut_queue *queue;
  fut_shared shared;
  fut_shelf shelf; /* in shared */
  fut_segment *segment;
  unsigned cpus; /* set once */
  bool respawn;  /* set once */
  fut_mutex mutex;
  atomic_bool wanted;    /* atomic: a step is to be made */
  fut_slots slots;       /* guarded by mutex */
  fut_link ahead;        /* guarded by mutex: tasks of priority 0 that have left
                            the queue, which are next */
  fut_children children; /* guarded by mutex */
  atomic_bool backlog;  /* atomic, changed under mutex: no more than that of the
                           segment */
  atomic_uint patience; /* atomic: submits that need no step while backlog */
  unsigned hungry;      /* guarded by mutex: see hand_out() */
  bool held_up;         /* guarded by mutex: tasks could not be handed out */
  unsigned told_hungry; /* guarded by mutex: the truth of segment.hungry */
  unsigned streak;      /* guarded by mutex: steps in a row by submitters */
  fut_deadline submitted; /* guarded by mutex: when the last of them was made */
  bool lent;              /* guarded by mutex: the truth of segment.lent */
  bool given_up;          /* guarded by mutex: what waits is cancelled */
  unsigned phase;         /* guarded by mutex: the truth of segment.phase */
  bool start;             /* guarded by mutex: a worker is to be started */
  bool look;              /* guarded by mutex: see whether somebody has come */
  fut_deadline no_start;  /* guarded by mutex: until then */
  fut_deadline wake_at;   /* guarded by mutex: when the keeper will look */
  atomic_uint keepers;    /* atomic: the keeper, and 1 for all owners */
  fut_thread keeper;
  bool joinable;      /* guarded by mutex */
  char *program;      /* owned */
  struct pollfd *fds; /* keeper only: its event and the members */
} fut_process_pool;

/* --- process_step.c ------------------------------------------------------ */

/* Who makes a step. */
typedef enum fut_stepper {
  FUT_STEP_SUBMITTING, /* and may submit more before anybody waits */
  FUT_STEP_WAITING,
  FUT_STEP_OTHER
} fut_stepper;

/* Make a step, or leave that to whoever holds the mutex. Any thread. Never
   blocks. */
void fut_process_step(fut_process_pool *pool, fut_stepper stepper);

/* A task of priority 0 was put into the queue: whether it may stay there for
   now, as workers have enough to go on with and see to it that a step is made
   in time. Any thread. */
bool fut_process_patient(fut_process_pool *pool);

/* Hold the mutex. */
void fut_process_lock(fut_process_pool *pool);

/* Give the mutex back and make the step that others have left to us. */
void fut_process_unlock(fut_process_pool *pool);

/* Assume mutex held: */

/* Take a task that no worker has, from wherever it is; NULL: there is none. */
fut_task *fut_process_take_any(fut_process_pool *pool);

/* Of tasks that are many take back all that was not begun, or (unwanted) only
   what nobody wants. */
void fut_process_recall(fut_process_pool *pool, bool unwanted);

/* See what has become of the task in a slot. */
void fut_process_look_at(fut_process_pool *pool, unsigned slot);

/* See that somebody searches when something waits. */
void fut_process_see_to_workers(fut_process_pool *pool, fut_deadline now);

/* Move on to the end, when that has been asked for. */
void fut_process_see_to_end(fut_process_pool *pool);

/* Return when the first time limit of a task is up, or workers that are idle
   may take over what others have not come to. */
fut_deadline fut_process_next_limit(fut_process_pool *pool);

/* Wake the keeper. Also without the mutex. */
void fut_process_ring(fut_process_pool *pool);

/* --- process_keeper.c ---------------------------------------------------- */

/* Ask the worker of a slot to stop its task, whose future is to end so: false
   if no worker has it. Assumes mutex held. */
bool fut_process_stop(fut_process_pool *pool, unsigned slot, fut_err why,
                      fut_deadline now);

/* What the keeper does: argument is the pool. */
void fut_process_keep(void *argument);

/* --- process_pool.c ------------------------------------------------------ */

/* Keep the pool no longer: whoever leaves last frees it. */
void fut_process_leave(fut_process_pool *pool);

#endif
