/* process_worker.h - a worker that is a process: its start, and its life there
 */
#ifndef FUT_PROCESS_WORKER_H
#define FUT_PROCESS_WORKER_H

#include "process.h"
#include "task.h"

#include <stdint.h>

/* --- the parent --------------------------------------------------------------
 */

enum { FUT_INHERITED = 7 };

/* What a worker is given at its start. */
typedef struct fut_process_worker_inheritance {
  pid_t parent;
  unsigned seat;
  int fds[FUT_INHERITED]; /* segment, streams, event, doorbell, cord, the event
                             that asks it to stop a task, lease of the process;
                             -1: none */
} fut_process_worker_inheritance;

/* Start the program as a worker. Return 0 or an errno. */
int fut_process_worker_start(fut_process *process, const char *program,
                             fut_process_worker_inheritance *inheritance);

/* --- the worker --------------------------------------------------------------
 */

/* What came of a call; bytes are the worker's own until its next call. */
typedef struct fut_process_outcome {
  const unsigned char *bytes;
  size_t size;
  bool failed;  /* they are an error */
  bool stopped; /* it was stopped, nothing came out */
} fut_process_outcome;

/* What a worker process keeps for the tasks that run in it. */
typedef struct fut_process_local fut_process_local;

/* What a worker has from its pool. It stays. */
typedef struct fut_process_given {
  const unsigned char *settings;
  size_t settings_size;
  size_t memory_limit;
  const char *name;           /* of the worker; gone after open() */
  const unsigned char *shelf; /* see shelf.h */
  size_t shelf_size;
} fut_process_given;

/* What a worker does, on its main thread unless said otherwise. */
typedef struct fut_process_worker_ops {
  /* Make what tasks share, for the worker of that number (1, 2, ...); NULL: not
     to be had, and report (of size bytes) says why: the pool is broken. */
  fut_process_local *(*open)(const fut_process_given *given, unsigned number,
                             char *report, size_t size);
  /* Make a call; bytes and name stay as they are meanwhile. NULL for bytes:
     there was no memory for them. */
  void (*run)(fut_process_local *local, const fut_call *call,
              fut_process_outcome *outcome);
  /* Do the next of the many things that a call stands for; *at is 0 at first,
     and then as it was left. */
  void (*run_next)(fut_process_local *local, const fut_call *call, size_t *at,
                   fut_process_outcome *outcome);
  /* Ask the call that is being made to stop, maybe again and again. By another
     thread; the call does not end meanwhile. NULL: not possible. Never
     blocks. */
  void (*stop)(fut_process_local *local);
  /* From here on nobody asks any more; what was asked must not concern the next
     call. NULL: nothing to do. */
  void (*settle)(fut_process_local *local);
  /* Return whether there is something to tidy up when there is no task. NULL:
     never. */
  bool (*untidy)(fut_process_local *local);
  /* Tidy up for a moment that is not longer than waking somebody takes.
     Requires that it is untidy. */
  void (*tidy)(fut_process_local *local);
  /* Return how many bytes the local holds. */
  size_t (*memory)(fut_process_local *local);
  void (*close)(fut_process_local *local);
} fut_process_worker_ops;

/* Return whether the arguments of a program are those of a worker. */
bool fut_process_worker_asked(int argc, char **argv);

/* Be a worker, as the arguments of the program say, until there is nothing more
   to do. Return the exit code of the program. To be called first in main(). */
int fut_process_worker_main(int argc, char **argv,
                            const fut_process_worker_ops *ops);

#endif
