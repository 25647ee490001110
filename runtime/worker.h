/* worker.h - the worker that runs a task, as what the task calls knows it */
#ifndef FUT_WORKER_H
#define FUT_WORKER_H

#include "error.h"

struct fut_executor;
struct fut_task;
typedef struct fut_worker fut_worker;

/* What a kind of workers must do; see the functions below. */
typedef struct fut_worker_kind {
  fut_err (*block)(fut_worker *worker);
  void (*unblock)(fut_worker *worker);
  void (*run)(fut_worker *worker, struct fut_task *task);
} fut_worker_kind;

/* Embedded as the first member. Used by its own thread only. */
struct fut_worker {
  const fut_worker_kind *kind;   /* set once */
  struct fut_executor *executor; /* set once; borrowed, it lasts longer */
  unsigned number;               /* set once: 1, 2, ... */
};

/* The running task is about to sleep: until fut_worker_unblock() another
   worker may run in place of this one, so that what the task waits for gets
   done. FUT_EWAITING if too many wait already, or what starting a worker came
   to; then nothing has changed. Worker only. Never blocks. */
static inline fut_err fut_worker_block(fut_worker *worker) {
  return worker ? worker->kind->block(worker) : FUT_OK;
}

/* The task goes on, at once; the next worker of the executor without a task
   sleeps if they are too many now. Worker only. Never blocks. */
static inline void fut_worker_unblock(fut_worker *worker) {
  if (worker)
    worker->kind->unblock(worker);
}

/* Run a task of the same executor that the caller has started (RUNNING),
   inside of the running one. Requires a reference. Worker only. */
static inline void fut_worker_run(fut_worker *worker, struct fut_task *task) {
  worker->kind->run(worker, task);
}

#endif
