/* thread_pool.h - an executor whose workers are threads of this process */
#ifndef FUT_THREAD_POOL_H
#define FUT_THREAD_POOL_H

#include "executor.h"

/* How a thread pool is made. */
typedef struct fut_thread_pool_options {
  unsigned max_workers;    /* 1 to FUT_THREAD_POOL_LIMIT */
  const char *name;        /* prefix of the threads' names; copied */
  fut_object *environment; /* given to open_local; the pool holds a reference
                              of its own; NULL: none */
  /* Make what the tasks of one worker share, before its first task; NULL if
     memory ran out: tried again before the next one. Called on that worker
     with no lock held, as is close_local when the worker ends. Both NULL, or
     neither. */
  fut_worker_local *(*open_local)(fut_object *environment);
  void (*close_local)(fut_worker_local *local);
} fut_thread_pool_options;

#define FUT_THREAD_POOL_LIMIT 65535u

/* Make a pool; its workers are started when there are tasks for them. On
   FUT_OK, the caller owns *executor and gives it up by fut_object_release();
   a pool given up without shutdown finishes its tasks first. FUT_ENOMEM. */
fut_err fut_thread_pool_new(const fut_thread_pool_options *options,
                            fut_executor **executor);

#endif
