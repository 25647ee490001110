/* progress.c - what threads that wait do for executors whose workers are
   elsewhere

   The list is walked with its mutex given back at each executor, which is held
   by a reference meanwhile; an executor that nobody holds any more is on its
   way out and is passed over. */
#include "progress.h"

#include "thread.h"

#include <stdatomic.h>

static fut_mutex mutex = {PTHREAD_MUTEX_INITIALIZER};
static fut_progress *first; /* guarded by mutex */
static unsigned generation; /* guarded by mutex: of forks, of the list */
static atomic_uint count;   /* atomic, changed under mutex */

/* In a forked child: what is on the list is the parent's. Another thread may
   have held the mutex at the fork; here no other thread can yet. */
static void renew(void) {
  if (generation == fut_thread_generation())
    return;
  mutex = (fut_mutex){PTHREAD_MUTEX_INITIALIZER};
  first = NULL;
  atomic_store(&count, 0);
  generation = fut_thread_generation();
}

void fut_progress_join(fut_progress *progress) {
  renew();
  fut_mutex_lock(&mutex);
  progress->next = first;
  first = progress;
  atomic_fetch_add(&count, 1);
  fut_mutex_unlock(&mutex);
}

void fut_progress_leave(fut_progress *progress) {
  renew();
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

/* Hold the executor at that place of the list, or the next that can be held;
   NULL: there is none. */
static fut_progress *hold(unsigned place) {
  fut_mutex_lock(&mutex);
  fut_progress *progress = first;
  while (progress && place-- > 0)
    progress = progress->next;
  while (progress && !fut_object_try_hold(&progress->executor->object))
    progress = progress->next;
  fut_mutex_unlock(&mutex);
  return progress;
}

void fut_progress_step(void) {
  renew();
  fut_progress *progress;
  for (unsigned i = 0; fut_progress_any() && (progress = hold(i)) != NULL;
       i++) {
    progress->step(progress->executor);
    fut_object_release(&progress->executor->object);
  }
}

void fut_progress_watch(void) {
  renew();
  fut_progress *progress;
  for (unsigned i = 0; fut_progress_any() && (progress = hold(i)) != NULL;
       i++) {
    progress->watch(progress->executor);
    fut_object_release(&progress->executor->object);
  }
}

bool fut_progress_crowded(void) {
  renew();
  bool crowded = false;
  fut_progress *progress;
  for (unsigned i = 0; !crowded && (progress = hold(i)) != NULL; i++) {
    crowded = progress->crowded(progress->executor);
    fut_object_release(&progress->executor->object);
  }
  return crowded;
}
