/* completions.h - a queue of futures that have ended, in the order they did */
#ifndef FUT_COMPLETIONS_H
#define FUT_COMPLETIONS_H

#include "future.h"
#include "notifier.h"
#include "thread.h"
#include "waiter.h"

#include <stdatomic.h>
#include <stdbool.h>

/* One future in a queue: watched until it ends, then waiting to be taken.
   Embedded by whoever adds it. */
typedef struct fut_completion {
  fut_watch watch;
  struct fut_completions *queue; /* set once */
  fut_future *future;            /* borrowed from whoever added it */
  bool arrived;                  /* guarded by the queue's mutex: in its list */
} fut_completion;

/* Filled by any thread, added to and taken from by its owner. */
typedef struct fut_completions {
  fut_mutex mutex;
  fut_completion *first, *last; /* guarded by mutex; linked by watch.next */
  atomic_size_t ready;          /* atomic, changed under mutex: in the list */
  atomic_size_t failed;         /* atomic, changed under mutex: FUT_FAILED ones
                                   that ever arrived */
  atomic_size_t wanted;         /* atomic: the owner is woken at so many */
  atomic_bool stop_at_failure;  /* atomic: ... or at the first failure */
  fut_waiter *waiter;           /* the owner; set once, borrowed */
  fut_notifier *notifier;       /* set by the owner, under mutex; borrowed; NULL
                                   if nobody wants to know */
} fut_completions;

/* Empty; the owner is woken at the first arrival. */
void fut_completions_init(fut_completions *queue, fut_waiter *owner);

/* Requires that everything added has been taken or removed. */
void fut_completions_fini(fut_completions *queue);

/* Add a future: it arrives when it ends, at once if it has. Owner only. The
   caller keeps a reference until it is taken or removed. */
void fut_completions_add(fut_completions *queue, fut_completion *completion,
                         fut_future *future);

/* Take a future out, ended or not. Owner only. */
void fut_completions_remove(fut_completion *completion);

/* Return the one that arrived first, no longer in the queue, or NULL.
   Owner only. Never blocks. */
fut_completion *fut_completions_take(fut_completions *queue);

/* Let notifier be raised whenever something is there, and now if due says so;
   it is lowered by the next fut_completions_take() that finds nothing. It must
   live as long as the queue, or until it is replaced here. Owner only. */
void fut_completions_notify(fut_completions *queue, fut_notifier *notifier,
                            bool due);

/* Return how many have arrived and were not taken. Any thread. */
static inline size_t fut_completions_ready(fut_completions *queue) {
  return atomic_load_explicit(&queue->ready, memory_order_acquire);
}

/* Let the owner be woken only when so many are there, or at a failure too. */
void fut_completions_want(fut_completions *queue, size_t count,
                          bool stop_at_failure);

/* Whether what is wanted has arrived. Any thread. */
bool fut_completions_satisfied(fut_completions *queue);

#endif
