/* process_pool.h - an executor whose workers are child processes */
#ifndef FUT_PROCESS_POOL_H
#define FUT_PROCESS_POOL_H

#include "executor.h"
#include "pool.h"

typedef struct fut_process_pool_options {
  fut_pool_options pool;         /* without environment */
  const char *program;           /* path of the worker program; copied */
  const unsigned char *settings; /* what every worker starts with; copied */
  size_t settings_size;
  bool respawn; /* the death of a worker fails the task that it ran; else it
                   breaks the pool */
} fut_process_pool_options;

/* Make a pool; its workers are started when there are tasks for them. The
   tasks' kind must have call and outcome. On FUT_OK, the caller owns *executor
   and gives it up by fut_object_release(); a pool given up without shutdown
   finishes its tasks first. FUT_ENOMEM, FUT_ETHREAD. */
fut_err fut_process_pool_new(const fut_process_pool_options *options,
                             fut_executor **executor);

#endif
