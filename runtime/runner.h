/* runner.h - the worker that runs a task, as what the task calls knows it */
#ifndef FUT_RUNNER_H
#define FUT_RUNNER_H

#include "error.h"

#include <stdbool.h>

struct fut_executor;
struct fut_task;
typedef struct fut_runner fut_runner;

/* What a kind of workers must do; see the functions below. */
typedef struct fut_runner_kind {
  fut_err (*block)(fut_runner *runner);
  void (*unblock)(fut_runner *runner);
  bool (*run)(fut_runner *runner, struct fut_task *task);
} fut_runner_kind;

/* Of workers in whose place nobody can run: a task that waits does so itself,
   for whatever others do. */
extern const fut_runner_kind fut_runner_alone;

/* Embedded as the first member. Used by its own thread only. */
struct fut_runner {
  const fut_runner_kind *kind;   /* set once */
  struct fut_executor *executor; /* set once; borrowed, it lasts longer; NULL:
                                    it is in another process */
  unsigned number;               /* set once: 1, 2, ... */
};

/* The running task is about to sleep: until fut_runner_unblock() another
   worker may run in place of this one, so that what the task waits for gets
   done. FUT_EWAITING if too many wait already, or what starting a worker came
   to; then nothing has changed. Worker only. Never blocks. */
static inline fut_err fut_runner_block(fut_runner *runner) {
  return runner ? runner->kind->block(runner) : FUT_OK;
}

/* The task goes on, at once; the next worker of the executor without a task
   sleeps if they are too many now. Worker only. Never blocks. */
static inline void fut_runner_unblock(fut_runner *runner) {
  if (runner)
    runner->kind->unblock(runner);
}

/* Run a task of the same executor inside of the running one: whether that was
   done. Not if somebody else has begun with it, the running one was asked to
   stop, either has a time limit, or the worker's local is to be renewed before
   the next task. Requires a reference that lasts. Worker only. */
static inline bool fut_runner_run(fut_runner *runner, struct fut_task *task) {
  return runner->kind->run(runner, task);
}

#endif
