/* thread_pool.h - an executor whose workers are threads of this process */
#ifndef FUT_THREAD_POOL_H
#define FUT_THREAD_POOL_H

#include "executor.h"
#include "pool.h"
#include "runner.h"

/* So many more threads than max_workers may there be, in place of workers whose
   tasks wait; tasks that wait leave one of all these to run. */
#define FUT_SPARE_WORKERS 128u

/* What a worker and its local tell each other. Lives as long as the local. */
typedef struct fut_worker_report {
  atomic_size_t memory;     /* atomic, local writes: bytes that it holds */
  bool worn;                /* worker only, local sets: renew it, it is ... */
  bool untidy;              /* worker only, local sets: there is something to
                               tidy up when there is time */
  atomic_bool asked;        /* atomic, set from outside: stop what runs */
  atomic_bool acknowledged; /* atomic, local sets: it is being stopped */
} fut_worker_report;

/* What the tasks of one worker share. All are called on that worker with no
   lock held. */
typedef struct fut_worker_ops {
  /* Make it for the worker that runner is, before its first task and whenever
     it was closed. *local is NULL, and may be set before it is all made: then
     interrupt may be called from there on. FUT_ENOMEM: it is tried again before
     the next task, and this one runs without. FUT_EINTR: the same, but what was
     asked to stop is the task. Other errors break the pool: *why, a block of
     memory.h that the caller then owns, or NULL, is the message. On errors
     *local is NULL again. */
  fut_err (*open)(fut_object *environment, fut_runner *runner,
                  fut_worker_report *report, fut_worker_local **local,
                  char **why);
  /* End it. */
  void (*close)(fut_worker_local *local);
  /* A task has ended, and its future; NULL: nothing is to be done. */
  void (*settle)(fut_worker_local *local);
  /* There is no task: tidy up, as long as it is untidy, for a moment that is
     not longer than waking somebody takes. NULL: it is never untidy. */
  void (*tidy)(fut_worker_local *local);
  /* In a signal handler, amid whatever the task does: see that it ends soon, if
     report->asked says so. May be called again and again. NULL: tasks take no
     notice. */
  void (*interrupt)(fut_worker_local *local);
} fut_worker_ops;

/* Make a pool; its workers are started when there are tasks for them. ops may
   be NULL: nothing is shared. On FUT_OK, the caller owns *executor and gives it
   up by fut_object_release(); a pool given up without shutdown finishes its
   tasks first. FUT_ENOMEM. */
fut_err fut_thread_pool_new(const fut_pool_options *options,
                            const fut_worker_ops *ops, fut_executor **executor);

#endif
