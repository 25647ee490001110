/* progress.c - what threads that wait do for executors whose workers are
   elsewhere

   The list is walked with its mutex given back at each executor, which is held
   by a reference meanwhile; an executor that nobody holds any more is on its
   way out and is passed over. The newest is first, and each has a number, so
   that a walk goes on in its place whoever comes and leaves. */
#include "progress.h"

#include "thread.h"

#include <stdatomic.h>

static fut_mutex mutex = {PTHREAD_MUTEX_INITIALIZER};
static fut_progress *first; /* guarded by mutex */
static uint64_t numbers;    /* guarded by mutex: the last one given */
static atomic_uint count;   /* atomic, changed under mutex: on the list */

/* In a forked child: what is on the list is the parent's. */
static void renew(void) {
  mutex = (fut_mutex){PTHREAD_MUTEX_INITIALIZER};
  first = NULL;
  atomic_store(&count, 0);
}

void fut_progress_join(fut_progress *progress) {
  fut_thread_after_fork(renew);
  fut_mutex_lock(&mutex);
  progress->number = ++numbers;
  progress->next = first;
  first = progress;
  atomic_fetch_add(&count, 1);
  fut_mutex_unlock(&mutex);
}

void fut_progress_leave(fut_progress *progress) {
  fut_mutex_lock(&mutex);
  fut_progress **at = &first;
  while (*at && *at != progress)
    at = &(*at)->next;
  if (*at) {
    *at = progress->next;
    atomic_fetch_sub(&count, 1);
  }
  fut_mutex_unlock(&mutex);
}

bool fut_progress_any(void) { return atomic_load(&count) > 0; }

/* Hold the first executor with a number below that; NULL: there is none. */
static fut_progress *hold_below(uint64_t number) {
  fut_mutex_lock(&mutex);
  fut_progress *progress = first;
  while (progress && (progress->number >= number ||
                      !fut_object_try_hold(&progress->executor->object)))
    progress = progress->next;
  fut_mutex_unlock(&mutex);
  return progress;
}

/* Go on to the next one; let go of the last one, NULL at the beginning. */
static fut_progress *next(fut_progress *last, uint64_t *number) {
  fut_progress *progress = fut_progress_any() ? hold_below(*number) : NULL;
  if (progress)
    *number = progress->number;
  if (last)
    fut_object_release(&last->executor->object);
  return progress;
}

void fut_progress_step(void) {
  uint64_t number = UINT64_MAX;
  fut_progress *progress = NULL;
  while ((progress = next(progress, &number)) != NULL)
    progress->step(progress->executor);
}

bool fut_progress_crowded(void) {
  bool crowded = false;
  uint64_t number = UINT64_MAX;
  fut_progress *progress = NULL;
  while ((progress = next(progress, &number)) != NULL)
    crowded = crowded || progress->crowded(progress->executor);
  return crowded;
}
