/* process_self.h - a worker that is a process, as it knows itself

   For the files of the worker alone: process_worker.c has its life,
   process_search.c how it finds tasks, process_run.c what it does with them,
   process_many.c with those that are many, process_guardian.c how they are
   stopped. */
#ifndef FUT_PROCESS_SELF_H
#define FUT_PROCESS_SELF_H

#include "doorbell.h"
#include "event.h"
#include "process_worker.h"
#include "segment.h"

/* The main thread's, but for `current`; the guardian reads what was set before
   it was started. */
typedef struct fut_process_self {
  fut_segment *segment;
  fut_seat *seat;
  unsigned number; /* of the seat */
  pid_t parent;
  fut_seat_streams *streams;
  uint64_t call_position, outcome_position;
  fut_event event; /* wakes the keeper */
  fut_event stop;  /* wakes our guardian */
  fut_bell_cord cord;
  fut_doorbell *doorbell; /* NULL: none */
  const fut_process_worker_ops *ops;
  fut_process_local *local; /* the guardian's too, while current is not 0 */
  bool searching;           /* our state is SEARCHING */
  bool brief;               /* the last task was */
  unsigned at;         /* the slot of the task under way; FUT_SLOTS: none */
  uint32_t generation; /* of that */
  unsigned char *call; /* of a task that came by the stream */
  size_t call_capacity;
  unsigned skip, left; /* sleeps to go without looking around before */
  unsigned linger_skip, linger_left; /* the same of lingering */
  fut_deadline since; /* when the last task ended, or this one was found */
  _Atomic uint64_t current; /* atomic: 1 + the slot of the task under way and
                               its generation, 0: none, UINT64_MAX: the guardian
                               is at it, which is short */
} fut_process_self;

/* --- process_worker.c --- */

/* Wake the keeper, unless it is awake. Two may do so at a time: nobody relies
   on another, which may be stopped or killed before it has. */
void fut_process_self_ring_keeper(fut_process_self *self);

/* Wake a thread that waits, which then does what there is to do, or else the
   keeper. */
void fut_process_self_ring_parent(fut_process_self *self);

/* Something has ended of which only those hear that await it: wake one, by the
   keeper where it does not sleep at the doorbell. */
void fut_process_self_ring_waiting(fut_process_self *self);

/* --- process_search.c --- */

/* Have the next task: false if the worker is to end. Blocks. */
bool fut_process_self_next(fut_process_self *self);

/* Be SEARCHING from now on if no ticket is left, though a task is under way;
   not if there is something to tidy up first. */
void fut_process_self_search_ahead(fut_process_self *self);

/* --- process_run.c --- */

/* Run the task that was found, and say that it is done. Blocks. */
void fut_process_self_run(fut_process_self *self);

/* Send what does not fit into the slot. Blocks. */
void fut_process_self_send(fut_process_self *self, const unsigned char *bytes,
                           size_t size);

/* The outcome of a call is where it belongs: what made it may be let go of. */
void fut_process_self_settle(fut_process_self *self);

/* What an outcome is. */
static inline enum fut_outcome
fut_process_outcome_kind(const fut_process_outcome *outcome) {
  return outcome->stopped  ? FUT_OUTCOME_STOPPED
         : outcome->failed ? FUT_OUTCOME_ERROR
                           : FUT_OUTCOME_VALUES;
}

/* The slot of the task under way. */
static inline fut_slot *fut_process_self_slot(fut_process_self *self) {
  return &self->segment->slots[self->at];
}

/* --- process_many.c --- */

/* Do the many things that the call stands for, one after another, unless it is
   to be stopped (not go). The call does not lie in the slot. */
void fut_process_self_run_many(fut_process_self *self, const fut_call *call,
                               bool go);

/* --- process_guardian.c --- */

/* What the guardian does, a thread that ends the process when the parent has
   ended, and stops the task under way when the parent wants that. */
void fut_process_self_guard(void *self);

/* Say which task is under way, for the guardian: false if it is to be stopped
   before it begins. */
bool fut_process_self_begin(fut_process_self *self);

/* From here on the guardian does not touch the task. */
void fut_process_self_end(fut_process_self *self);

#endif
