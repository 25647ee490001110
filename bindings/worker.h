/* worker.h - what a worker process does: Lua calls */
#ifndef FUT_WORKER_H
#define FUT_WORKER_H

#include "process_worker.h"
#include "wire.h"

/* Make the settings of a pool, what worker_ops.open takes, in the empty
   message. initializer is a portable message, or NULL. False: out of memory. */
bool worker_settings(wire_message *settings, const char *path,
                     const char *cpath, const wire_message *initializer);

/* For fut_process_worker_main(). */
extern const fut_process_worker_ops worker_ops;

#endif
