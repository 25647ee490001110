/* map_shared.h - what the owner and the workers of a map share

   A loan is some items in a row, which a worker runs one after another; each
   ends by itself. What is still to be lent begins at the cursor. As long as
   there is an item that has not started, a ticket lies in the executor's queue
   where a task would: the worker that takes it borrows a loan, puts a new
   ticket in front of the queue, which brings the next idle worker, and goes to
   work. Where everything is lent it takes half of what another worker has not
   come to, so nothing waits behind an item that takes long while anybody is
   idle. A worker that must make way sets the cursor back. So a loan is only a
   proposal: whoever moves an item out of PENDING runs it, or cancels it, and
   the others pass over it.

   `mutex` guards the cursor, the list of segments, and the ticket. While it is
   held memory is allocated and freed, nothing else.

   What wakes the reader. It sets `wanted`, then looks at the item; whoever
   ends an item sets its state, then looks at `wanted`: all four steps are
   sequentially consistent, so one of both sees the other and ends `arrival`.
   Items end in map_end_item() alone, whether they ran, or were cancelled by
   the reader or with the pool, or failed with it. */
#ifndef FUT_MAP_SHARED_H
#define FUT_MAP_SHARED_H

#include "map.h"
#include "thread.h"

#define MAP_LOAN_NS 1000000 /* what a loan should take */

struct map_loan;

enum { NOT_WANTED = 0, ANY_WANTED = -1 };

struct map {
  fut_object object;
  fut_executor *executor; /* set once; a reference */
  content function;       /* set once */
  map_options options;    /* set once */
  fut_mutex mutex;
  map_items items;
  map_segment *at;    /* guarded by mutex: the cursor; NULL: no items */
  unsigned place;     /* guarded by mutex: the cursor, in its segment */
  uint64_t announced; /* guarded by mutex: items that may be lent */
  uint64_t order;     /* guarded by mutex: of the last ticket that was run */
  fut_arena *tickets; /* guarded by mutex: memory */
  bool ticket;        /* guarded by mutex: one is in the queue */
  bool given_up;      /* guarded by mutex: nothing is lent any more */
  struct map_loan *loans; /* guarded by mutex: those out */
  size_t loan;            /* guarded by mutex: items of the last one */
  size_t fit; /* guarded by mutex: items whose outcomes a worker elsewhere had
                 room for, 0: not known */
  fut_future *arrival;  /* guarded by mutex: a reference; NULL: none */
  atomic_llong wanted;  /* atomic, set under mutex: whose end ends arrival: the
                           number of an item + 1, or one of the above */
  atomic_ullong idle;   /* atomic, changed under mutex: items not lent */
  atomic_llong item_ns; /* atomic, changed under mutex: how long an item
                           takes, 0: not known */
  atomic_size_t held;   /* atomic: bytes of memory that contents take */
  _Atomic(map_link *) ended; /* atomic, unordered: the last one first */
  map_link *arrived;         /* owner only, unordered: in the order they did */
  map_segment *reading;      /* owner only: where it reads in order; NULL */
  uint64_t announced_last;   /* owner only: announced, as it knows */
  fut_deadline announced_at; /* owner only: when that was */
};

/* End what the reader waits for. Any thread. */
void map_arrive(map *m);

/* Let the outcome, NULL if memory ran out, take the place of the call that held
   is; return the state in which the item is to end. Whoever has the content. */
fut_state map_put_outcome(map *m, content *held, wire_message *outcome,
                          fut_state state);

/* End an item whose outcome is in it; return whether the reader waits for it,
   so that map_arrive() must follow. Any thread. */
bool map_end_item(map *m, map_segment *segment, unsigned place,
                  fut_state state);

/* Cancel (FUT_OK) or fail every item that has not started, lent or not, now and
   later. Any thread. */
void map_give_up(map *m, fut_err why, const char *message);

/* Count the items that are not lent, after a change. Assumes mutex held. */
void map_recount(map *m);

/* Return a ticket if one should be in the queue and is not, with the reference
   that the executor takes; *fine is false if memory ran out. Assumes mutex
   held. */
fut_task *map_ticket_due(map *m, bool *fine);

/* See that a ticket is in the queue if anything is left to lend; false if it
   cannot be. Requires what fut_executor_again() does. */
bool map_pass_on(map *m);

/* The ticket that was in the queue is no longer. */
void map_ticket_left(map *m);

/* Return how many of so many items the next loan takes. Assumes mutex held. */
size_t map_loan_size(const map *m, uint64_t left);

/* Move the cursor to where there are items to lend, and return how many. Where
   it was set back, segments behind it may be gone: then there are fewer than
   were counted. Assumes mutex held. */
uint64_t map_seek(map *m);

/* Let the items of a segment from place on be lent anew. Assumes mutex held. */
void map_give_back(map *m, const map_segment *segment, unsigned place);

/* So many items took so long. Assumes mutex held. */
void map_measure(map *m, unsigned items, int64_t time);

/* Return the size that tickets take in memory. */
size_t map_ticket_size(void);

/* Return a ticket for workers elsewhere (map_far.c), NULL: no memory. Assumes
   mutex held. */
fut_task *map_far_ticket_new(map *m);
extern const size_t map_far_ticket_size;

/* A ticket was given to the executor, whose queue counts it as a task. */
static inline void map_ticket_counted(map *m) {
  atomic_fetch_sub(&m->executor->behind, 1);
}

#endif
