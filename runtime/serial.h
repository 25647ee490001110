/* serial.h - an executor that runs each task when it is submitted */
#ifndef FUT_SERIAL_H
#define FUT_SERIAL_H

#include "executor.h"
#include "parker.h"
#include "thread_pool.h"

/* Make an executor whose submit runs the task, on the thread that submits,
   and returns when its future has ended: so there it does block, and calls
   user code. Only the thread that made it may submit, another one gets
   FUT_EELSEWHERE. What tasks share is opened before the first, and closed by
   shutdown or with the executor. Of the options max_workers, max_pending and
   idle_timeout have no meaning here. Owned as a thread pool is. FUT_ENOMEM. */
fut_err fut_serial_new(const fut_pool_options *options,
                       const fut_worker_ops *ops, fut_executor **executor);

/* The tasks that this thread submits from now on are stopped when wanted, asked
   in a signal handler, says that their submitter is to be interrupted: within
   0.1 s of a SIGINT whose handler lets the next one have its default action, or
   when the signal of interruption.h comes. */
void fut_serial_attend(fut_executor *executor, fut_attention *wanted,
                       void *context);

/* Whether an executor is one of these. */
bool fut_serial_is(const fut_executor *executor);

#endif
