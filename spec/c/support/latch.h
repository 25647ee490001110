/* latch.h - a count that falls to zero once and lets go everyone who waits */
#ifndef SPEC_LATCH_H
#define SPEC_LATCH_H

#include "cases.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

typedef struct latch {
  pthread_mutex_t mutex;
  pthread_cond_t open;
  unsigned count; /* guarded by mutex */
} latch;

static inline void latch_init(latch *at, unsigned count) {
  pthread_mutex_init(&at->mutex, NULL);
  pthread_cond_init(&at->open, NULL);
  at->count = count;
}

/* Requires that nobody uses it but those who have waited and not returned. */
static inline void latch_fini(latch *at) {
  pthread_cond_destroy(&at->open);
  pthread_mutex_destroy(&at->mutex);
}

static inline void latch_down(latch *at) {
  pthread_mutex_lock(&at->mutex);
  if (--at->count == 0)
    pthread_cond_broadcast(&at->open);
  pthread_mutex_unlock(&at->mutex);
}

/* Block until the count is zero; false if that takes far too long. */
static inline bool latch_wait(latch *at) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += (time_t)within(20);
  pthread_mutex_lock(&at->mutex);
  while (at->count > 0 &&
         pthread_cond_timedwait(&at->open, &at->mutex, &limit) == 0)
    ;
  bool opened = at->count == 0;
  pthread_mutex_unlock(&at->mutex);
  return opened;
}

#endif
