/* heap.c - tasks of differing priority, the next one on top

   A pairing heap: each task comes before all its children; `child` is the
   first of them, `next` leads from one to the next. */
#include "heap.h"

static bool before(const fut_task *a, const fut_task *b) {
  if (a->priority != b->priority)
    return a->priority > b->priority;
  return a->order < b->order;
}

/* Make the later one the first child of the earlier one, and return that.
   Either may be NULL. */
static fut_task *meld(fut_task *a, fut_task *b) {
  if (a == NULL)
    return b;
  if (b == NULL)
    return a;
  if (before(b, a)) {
    fut_task *swap = a;
    a = b;
    b = swap;
  }
  b->next = a->child;
  a->child = b;
  return a;
}

void fut_heap_push(fut_heap *heap, fut_task *task) {
  task->next = task->child = NULL;
  heap->top = meld(heap->top, task);
}

/* Meld a list of siblings into one: in pairs from the front, then all pairs
   from the back. */
static fut_task *gather(fut_task *list) {
  fut_task *pairs = NULL;
  while (list) {
    fut_task *a = list;
    fut_task *b = a->next;
    list = b ? b->next : NULL;
    a->next = NULL;
    if (b)
      b->next = NULL;
    a = meld(a, b);
    a->next = pairs;
    pairs = a;
  }
  fut_task *top = NULL;
  while (pairs) {
    fut_task *rest = pairs->next;
    pairs->next = NULL;
    top = meld(top, pairs);
    pairs = rest;
  }
  return top;
}

fut_task *fut_heap_pop(fut_heap *heap) {
  fut_task *top = heap->top;
  heap->top = gather(top->child);
  top->next = top->child = NULL;
  return top;
}
