/* process_watch.h - how this system tells that another process has ended, and
   what else a child needs of it */
#ifndef FUT_PROCESS_WATCH_H
#define FUT_PROCESS_WATCH_H

#include "process.h"

/* Before the start: make what the child is to hold. Return 0 or an errno. */
int fut_process_watch_prepare(fut_process *process);

/* After the start: have `watch`. On failure the child has been ended. Return 0
   or an errno. */
int fut_process_watch_begin(fut_process *process);

/* Whether it has ended, so that waitpid() will not block. */
bool fut_process_watch_ended(const fut_process *process);

/* Close what is open. */
void fut_process_watch_drop(fut_process *process);

/* In the child: keep some of the memory that tasks give back for the next
   ones, where the system would take it each time. */
void fut_process_keep_memory(void);

/* In the child: close all that is open from the descriptor first to last,
   INT_MAX for all there are. */
void fut_process_close(int first, int last);

#endif
