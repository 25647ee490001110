/* waiter.c - a thread that waits, known to those that may wake it */
#include "waiter.h"

#include "memory.h"

static atomic_int waiting; /* atomic: threads between enter and leave */

static void waiter_free(fut_object *object) {
  fut_waiter *waiter = (fut_waiter *)object;
  fut_parker_free(waiter->parker);
  fut_memory_free(waiter);
}

static const fut_object_kind waiter_kind = {"waiter", waiter_free};

fut_waiter *fut_waiter_new(void) {
  fut_waiter *waiter = fut_memory_new(sizeof *waiter);
  if (waiter == NULL)
    return NULL;
  fut_object_init(&waiter->object, &waiter_kind);
  waiter->parker = fut_parker_new();
  if (waiter->parker == NULL) {
    fut_memory_free(waiter);
    return NULL;
  }
  return waiter;
}

void fut_waiter_release(fut_waiter *waiter) {
  fut_object_release(&waiter->object);
}

void fut_waiter_wake(fut_waiter *waiter) { fut_parker_unpark(waiter->parker); }

fut_err fut_waiter_sleep(fut_waiter *waiter, fut_deadline deadline,
                         fut_attention *attention, void *context) {
  return fut_parker_park(waiter->parker, deadline, attention, context);
}

/* relaxed in all four: a hint for scheduling, nothing hangs on it */
bool fut_waiter_any(void) {
  return atomic_load_explicit(&waiting, memory_order_relaxed) > 0;
}

void fut_waiter_enter(void) {
  atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
}

void fut_waiter_leave(void) {
  atomic_fetch_sub_explicit(&waiting, 1, memory_order_relaxed);
}

void fut_waiter_forked(void) {
  atomic_store_explicit(&waiting, 0, memory_order_relaxed);
}
