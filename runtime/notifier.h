/* notifier.h - a descriptor that tells event loops that there is work */
#ifndef FUT_NOTIFIER_H
#define FUT_NOTIFIER_H

#include "event.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Belongs to the process that opened it: a forked child shares the event, so
   there a notifier of the parent's is neither raised nor lowered. */
typedef struct fut_notifier {
  fut_event event;
  unsigned generation; /* of forks, set once */
  atomic_bool raised;  /* atomic, changed under a mutex of its user's */
} fut_notifier;

/* Return a notifier that is not raised, or NULL when memory or descriptors ran
   out. The caller owns it and ends it with fut_notifier_free(). */
fut_notifier *fut_notifier_new(void);

/* Requires that no thread uses it, or will. NULL is ignored. */
void fut_notifier_free(fut_notifier *notifier);

/* Make the descriptor readable, and unreadable. Any thread, but one at a time.
   Never blocks; makes no system call when there is nothing to change. */
void fut_notifier_raise(fut_notifier *notifier);
void fut_notifier_lower(fut_notifier *notifier);

/* Whether it was raised last. Any thread. */
static inline bool fut_notifier_raised(fut_notifier *notifier) {
  /* relaxed: whoever acts on it takes the user's mutex and looks again */
  return atomic_load_explicit(&notifier->raised, memory_order_relaxed);
}

/* Whether it was opened before this process was forked off. */
bool fut_notifier_forked(const fut_notifier *notifier);

/* Return the descriptor, which stays the notifier's. */
static inline int fut_notifier_descriptor(const fut_notifier *notifier) {
  return notifier->event.readable;
}

#endif
