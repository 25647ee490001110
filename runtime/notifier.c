/* notifier.c - a descriptor that tells event loops that there is work */
#include "notifier.h"

#include "memory.h"
#include "thread.h"

fut_notifier *fut_notifier_new(void) {
  fut_notifier *notifier = fut_memory_new(sizeof *notifier);
  if (notifier == NULL)
    return NULL;
  if (fut_event_open(&notifier->event) != FUT_OK) {
    fut_memory_free(notifier);
    return NULL;
  }
  notifier->generation = fut_thread_generation();
  atomic_init(&notifier->raised, false);
  return notifier;
}

void fut_notifier_free(fut_notifier *notifier) {
  if (notifier == NULL)
    return;
  fut_event_close(&notifier->event);
  fut_memory_free(notifier);
}

bool fut_notifier_forked(const fut_notifier *notifier) {
  return notifier->generation != fut_thread_generation();
}

void fut_notifier_raise(fut_notifier *notifier) {
  if (fut_notifier_raised(notifier) || fut_notifier_forked(notifier))
    return;
  atomic_store_explicit(&notifier->raised, true, memory_order_relaxed);
  fut_event_set(&notifier->event);
}

void fut_notifier_lower(fut_notifier *notifier) {
  if (!fut_notifier_raised(notifier) || fut_notifier_forked(notifier))
    return;
  atomic_store_explicit(&notifier->raised, false, memory_order_relaxed);
  fut_event_clear(&notifier->event);
}
