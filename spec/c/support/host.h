/* host.h - a C host in a test: its pool, and tasks that wait to be let go */
#ifndef SPEC_HOST_H
#define SPEC_HOST_H

#include "latch.h"

#include "futures.h"

/* Return the deadline of what must not take for ever. */
static inline futures_deadline soon(void) { return futures_after(within(20)); }

static inline futures_executor *host_pool(unsigned workers) {
  futures_pool_options options = {.max_workers = workers, .name = "host"};
  futures_executor *pool = NULL;
  assert_int_equal(futures_thread_pool_new(&options, &pool), FUTURES_OK);
  return pool;
}

static inline futures_future *host_submit(futures_executor *pool,
                                          futures_function *function,
                                          void *argument) {
  futures_future *future = NULL;
  assert_int_equal(futures_submit(pool, function, argument, &future),
                   FUTURES_OK);
  return future;
}

/* Shut down, wait for the end, give it up. */
static inline void host_close(futures_executor *pool) {
  futures_shutdown(pool, false);
  assert_int_equal(futures_join(pool, soon()), FUTURES_OK);
  futures_executor_release(pool);
}

/* Wait for the result of a future and give it up. */
static inline void *host_result(futures_future *future) {
  void *result = NULL;
  assert_int_equal(futures_result(future, soon(), &result), FUTURES_OK);
  futures_future_release(future);
  return result;
}

/* A door that tasks wait at. */
typedef struct door {
  latch entered, opened;
} door;

static inline void door_init(door *at) {
  latch_init(&at->entered, 1);
  latch_init(&at->opened, 1);
}

static inline void door_fini(door *at) {
  latch_fini(&at->entered);
  latch_fini(&at->opened);
}

/* A task. */
static inline void *door_wait(void *context) {
  door *at = context;
  latch_down(&at->entered);
  latch_wait(&at->opened);
  return at;
}

/* A task. */
static inline void *nothing(void *argument) { return argument; }

#endif
