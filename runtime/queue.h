/* queue.h - where tasks wait until a worker takes them, in their order */
#ifndef FUT_QUEUE_H
#define FUT_QUEUE_H

#include "heap.h"
#include "link.h"
#include "task.h"

typedef struct fut_queue fut_queue;

/* Return an empty, open queue, or NULL if memory ran out. The caller owns it
   and ends it with fut_queue_free(). */
fut_queue *fut_queue_new(void);

/* Requires that it is empty and nobody uses it. */
void fut_queue_free(fut_queue *queue);

/* Put a task in, behind all of its priority. Takes the caller's reference
   unless the queue is closed: then false. Any thread. Never blocks. */
bool fut_queue_push(fut_queue *queue, fut_task *task);

/* Put a task in front of all of its priority but those of a smaller order,
   closed or not. Takes the caller's reference. Any thread. Never blocks. */
void fut_queue_push_front(fut_queue *queue, fut_task *task);

/* From now on push returns false. Any thread. */
void fut_queue_close(fut_queue *queue);

/* Whether it is closed. Any thread. */
bool fut_queue_closed(const fut_queue *queue);

/* Return how many tasks wait, cancelled ones included. Any thread. */
size_t fut_queue_count(const fut_queue *queue);

/* Whether tasks of a priority above 0 wait. Any thread. */
bool fut_queue_urgent(const fut_queue *queue);

/* Take the next task of a priority above 0, or NULL. The caller owns the
   queue's reference to it, here and below. Any thread. */
fut_task *fut_queue_pull_urgent(fut_queue *queue);

/* Take the next task of priority 0 or more, or NULL; if it has priority 0, put
   those behind it into link, which is the caller's to feed, until 1/share of
   what waits is taken; none that is many, nor any behind one. share >= 1. Any
   thread. */
fut_task *fut_queue_pull(fut_queue *queue, fut_link *link, unsigned share);

/* Take the next task of a priority below 0; NULL also while any of a higher
   one waits. Any thread. */
fut_task *fut_queue_pull_low(fut_queue *queue);

#endif
