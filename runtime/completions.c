/* completions.c - a queue of futures that have ended, in the order they did

   Lock order: the arena of a future, then the mutex of a queue. Nothing is
   called with the mutex held but the notifier, which never blocks: so it is
   raised whenever something is in the list. */
#include "completions.h"

void fut_completions_init(fut_completions *queue, fut_waiter *owner) {
  fut_mutex_init(&queue->mutex);
  queue->first = queue->last = NULL;
  atomic_init(&queue->ready, 0);
  atomic_init(&queue->failed, 0);
  atomic_init(&queue->wanted, 1);
  atomic_init(&queue->stop_at_failure, false);
  queue->waiter = owner;
  queue->notifier = NULL;
}

void fut_completions_fini(fut_completions *queue) {
  fut_mutex_fini(&queue->mutex);
}

bool fut_completions_satisfied(fut_completions *queue) {
  return atomic_load(&queue->ready) >= atomic_load(&queue->wanted) ||
         (atomic_load(&queue->stop_at_failure) &&
          atomic_load(&queue->failed) > 0);
}

/* Append; return whether the owner now has what it wants. The queue may be
   gone when this returns: the owner can take the last one and end it. */
static bool arrive(fut_completion *completion, fut_state state) {
  fut_completions *queue = completion->queue;
  fut_mutex_lock(&queue->mutex);
  completion->arrived = true;
  completion->watch.next = NULL;
  if (queue->last)
    queue->last->watch.next = &completion->watch;
  else
    queue->first = completion;
  queue->last = completion;
  if (state == FUT_FAILED)
    atomic_fetch_add(&queue->failed, 1);
  atomic_fetch_add(&queue->ready, 1);
  if (queue->notifier)
    fut_notifier_raise(queue->notifier);
  bool satisfied = fut_completions_satisfied(queue);
  fut_mutex_unlock(&queue->mutex);
  return satisfied;
}

static fut_waiter *told(fut_watch *watch, fut_state state) {
  fut_completion *completion = (fut_completion *)watch;
  fut_waiter *waiter = completion->queue->waiter;
  fut_object_hold(&waiter->object);
  if (arrive(completion, state))
    return waiter;
  fut_waiter_release(waiter);
  return NULL;
}

void fut_completions_add(fut_completions *queue, fut_completion *completion,
                         fut_future *future) {
  completion->queue = queue;
  completion->future = future;
  completion->arrived = false;
  completion->watch.told = told;
  if (!fut_future_watch(future, &completion->watch))
    arrive(completion, fut_future_state(future));
}

/* Unlink one that has arrived. Assumes mutex held. */
static void unlink_arrived(fut_completions *queue, fut_completion *completion) {
  fut_completion *before = NULL, *at = queue->first;
  while (at != completion) {
    before = at;
    at = (fut_completion *)at->watch.next;
  }
  fut_completion *next = (fut_completion *)at->watch.next;
  if (before)
    before->watch.next = at->watch.next;
  else
    queue->first = next;
  if (queue->last == completion)
    queue->last = before;
  completion->arrived = false;
  atomic_fetch_sub(&queue->ready, 1);
}

void fut_completions_remove(fut_completion *completion) {
  fut_completions *queue = completion->queue;
  if (fut_future_unwatch(completion->future, &completion->watch))
    return;
  fut_mutex_lock(&queue->mutex);
  if (completion->arrived)
    unlink_arrived(queue, completion);
  fut_mutex_unlock(&queue->mutex);
}

fut_completion *fut_completions_take(fut_completions *queue) {
  fut_notifier *notifier = queue->notifier;
  if (fut_completions_ready(queue) == 0 &&
      !(notifier && fut_notifier_raised(notifier)))
    return NULL;
  fut_mutex_lock(&queue->mutex);
  fut_completion *completion = queue->first;
  if (completion)
    unlink_arrived(queue, completion);
  else if (notifier)
    fut_notifier_lower(notifier);
  fut_mutex_unlock(&queue->mutex);
  return completion;
}

void fut_completions_notify(fut_completions *queue, fut_notifier *notifier,
                            bool due) {
  fut_mutex_lock(&queue->mutex);
  queue->notifier = notifier;
  if (due || queue->first)
    fut_notifier_raise(notifier);
  fut_mutex_unlock(&queue->mutex);
}

void fut_completions_want(fut_completions *queue, size_t count,
                          bool stop_at_failure) {
  atomic_store(&queue->wanted, count);
  atomic_store(&queue->stop_at_failure, stop_at_failure);
}
