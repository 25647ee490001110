/* runner.c - the worker that runs a task, as what the task calls knows it */
#include "runner.h"

static fut_err alone_block(fut_runner *runner) {
  (void)runner;
  return FUT_OK;
}

static void alone_unblock(fut_runner *runner) { (void)runner; }

static bool alone_run(fut_runner *runner, struct fut_task *task) {
  (void)runner;
  (void)task;
  return false;
}

const fut_runner_kind fut_runner_alone = {alone_block, alone_unblock,
                                          alone_run};
