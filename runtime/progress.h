/* progress.h - what threads that wait do for executors whose workers are
   elsewhere: collect outcomes, hand out tasks */
#ifndef FUT_PROGRESS_H
#define FUT_PROGRESS_H

#include "executor.h"

#include <stdbool.h>

/* An executor that needs help. Embedded in it. */
typedef struct fut_progress {
  struct fut_progress *next;               /* guarded by the list's mutex */
  uint64_t number;                         /* larger than of all before it */
  fut_executor *executor;                  /* set once */
  void (*step)(fut_executor *executor);    /* do what there is to do now */
  bool (*crowded)(fut_executor *executor); /* whether its workers need all the
      CPUs, so that nobody should look around */
} fut_progress;

/* From now on threads that wait help the executor, until leave() has
   returned; it may be helped once more while its last reference goes. Any
   thread. */
void fut_progress_join(fut_progress *progress);
void fut_progress_leave(fut_progress *progress);

/* Whether any executor needs help. Any thread. Never blocks. */
bool fut_progress_any(void);

/* Call that function of all; whether any said so. Any thread, with no lock
   held. Never blocks. */
void fut_progress_step(void);
bool fut_progress_crowded(void);

#endif
