/* thread_pool.h - an executor whose workers are threads of this process */
#ifndef FUT_THREAD_POOL_H
#define FUT_THREAD_POOL_H

#include "executor.h"
#include "pool.h"
#include "worker.h"

/* So many more threads than max_workers may there be, in place of workers whose
   tasks wait; tasks that wait leave one of all these to run. */
#define FUT_SPARE_WORKERS 128u

/* What the tasks of one worker share. All are called on that worker with no
   lock held. */
typedef struct fut_worker_ops {
  /* Make it, before the worker's first task. FUT_ENOMEM: it is tried again
     before the next task, and this one runs without. */
  fut_err (*open)(fut_object *environment, fut_worker_local **local);
  /* End it, when the worker ends. */
  void (*close)(fut_worker_local *local);
  /* Tell it, once it is open, whose it is; NULL: it need not know. */
  void (*attach)(fut_worker_local *local, fut_worker *worker);
} fut_worker_ops;

/* Make a pool; its workers are started when there are tasks for them. ops may
   be NULL: nothing is shared. On FUT_OK, the caller owns *executor and gives it
   up by fut_object_release(); a pool given up without shutdown finishes its
   tasks first. FUT_ENOMEM. */
fut_err fut_thread_pool_new(const fut_pool_options *options,
                            const fut_worker_ops *ops, fut_executor **executor);

#endif
