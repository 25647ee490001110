/* pool.h - a thread pool in a test, from its making to its end */
#ifndef SPEC_POOL_H
#define SPEC_POOL_H

#include "await.h"
#include "job.h"
#include "thread_pool.h"

static inline fut_executor *pool_new(unsigned workers) {
  fut_pool_options options = fut_pool_options_of(workers, "test");
  fut_executor *pool = NULL;
  assert_int_equal(fut_thread_pool_new(&options, NULL, &pool), FUT_OK);
  return pool;
}

/* Submit; the caller keeps its reference. */
static inline fut_err pool_submit(fut_executor *pool, job *task) {
  job_hold(task);
  return fut_executor_submit(pool, &task->task);
}

/* Submit a new job that nobody else looks at. Owner of the arena only. */
static inline fut_err pool_spawn(fut_executor *pool, fut_arena *arena,
                                 void (*body)(job *self), void *context) {
  return fut_executor_submit(pool, &job_new(arena, body, context)->task);
}

static inline fut_executor_stats pool_stats(fut_executor *pool) {
  fut_executor_stats stats;
  fut_executor_stats_get(pool, &stats);
  return stats;
}

/* Wait until no worker runs; false if that takes far too long. */
static inline bool pool_over(fut_executor *pool) {
  if (!await(fut_executor_terminated(pool)))
    return false;
  fut_executor_join(pool);
  return true;
}

/* Shut down, wait for the end, give it up. */
static inline void pool_close(fut_executor *pool) {
  fut_executor_shutdown(pool, false);
  assert_true(pool_over(pool));
  fut_object_release(&pool->object);
}

#endif
