/* circle.c - no future is part of its own outcome, through others either

   Futures in outcomes are counted references, so those of a circle would never
   be freed. An outcome is written once, and the one that is written last closes
   the circle: it is refused. All that hold others are written under one lock,
   so of several that are written at a time one is the last. */
#include "circle.h"

#include "fork.h"
#include "job.h"
#include "promise.h"

#include <pthread.h>

#define LIMIT 1000 /* links to look at: of more a circle goes unnoticed */
#define DEPTH 100  /* in a row */

static fut_mutex mutex;
static fut_fork_guard guard;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void begin(void) {
  fut_mutex_init(&mutex);
  fut_fork_guard_init(&guard, &mutex, FUT_FORK_CIRCLES);
}

void circle_enter(void) {
  pthread_once(&once, begin);
  fut_mutex_lock(&mutex);
}

void circle_leave(void) { fut_mutex_unlock(&mutex); }

/* Return the future that an object in an outcome stands for, or NULL. */
static const fut_future *future_of(const fut_object *object) {
  const fut_future *promise = promise_of(object);
  if (promise)
    return promise;
  const fut_future *future = (const fut_future *)object; /* if it is a job */
  return future_is_job(future) ? future : NULL;
}

bool circle_possible(const wire_message *outcome) {
  for (size_t i = 0; i < outcome->object_count; i++)
    if (future_of(outcome->objects[i]))
      return true;
  return false;
}

/* Whether what is linked to leads to the future. */
static bool lead_to(const fut_future *future, circle_links links,
                    unsigned depth, unsigned *left) {
  for (size_t i = 0; i<links.count && * left> 0; i++) {
    --*left;
    const fut_future *held = future_of(links.objects[i]);
    if (held == NULL)
      continue;
    if (held == future)
      return true;
    if (depth < DEPTH &&
        lead_to(future,
                future_is_job(held) ? job_links(held) : promise_links(held),
                depth + 1, left))
      return true;
  }
  return false;
}

bool circle_closes(const fut_future *future, const wire_message *outcome) {
  unsigned left = LIMIT;
  circle_links links = {outcome->objects, outcome->object_count};
  return lead_to(future, links, 0, &left);
}
