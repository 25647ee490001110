/* heap.h - tasks of differing priority, the next one on top */
#ifndef FUT_HEAP_H
#define FUT_HEAP_H

#include "task.h"

/* A pairing heap linked through the tasks: nothing is allocated. The top has
   the largest priority, and of those the smallest order. */
typedef struct fut_heap {
  fut_task *top; /* NULL when empty */
} fut_heap;

/* Put a task in, whose order and priority are set. Borrows it. */
void fut_heap_push(fut_heap *heap, fut_task *task);

/* Take the top out. Requires that the heap is not empty. */
fut_task *fut_heap_pop(fut_heap *heap);

#endif
