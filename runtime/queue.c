/* queue.c - where tasks wait until a worker takes them, in their order

   Submitters append to the inbox under a lock of their own; a worker that
   takes tasks empties the inbox into the ready tasks, under the workers'
   lock. So submitters and workers meet once a batch, not once a task.

   Lock order: ready_mutex, then inbox_mutex. */
#include "queue.h"

#include "memory.h"
#include "thread.h"

typedef struct fifo {
  fut_task *first, *last;
} fifo;

struct fut_queue {
  fut_mutex inbox_mutex;
  fifo inbox;                /* guarded by inbox_mutex */
  uint64_t order;            /* guarded by inbox_mutex: tasks ever pushed */
  atomic_size_t inbox_count; /* atomic, changed under inbox_mutex */
  char apart[64];            /* a cache line for what is read far oftener ... */
  atomic_bool closed;        /* atomic, set under inbox_mutex */
  atomic_size_t urgent;      /* atomic: waiting tasks of a priority above 0 */
  char apart_again[64];      /* ... than what is before and behind changes */
  fut_mutex ready_mutex;
  fifo ready;                /* guarded by ready_mutex: of priority 0 */
  fut_heap high, low;        /* guarded by ready_mutex: above and below 0 */
  atomic_size_t ready_count; /* atomic, changed under ready_mutex: in all */
  atomic_size_t plain;       /* atomic, changed under ready_mutex: in ready */
};

fut_queue *fut_queue_new(void) {
  fut_queue *queue = fut_memory_new(sizeof *queue);
  if (queue == NULL)
    return NULL;
  fut_mutex_init(&queue->inbox_mutex);
  fut_mutex_init(&queue->ready_mutex);
  queue->inbox = queue->ready = (fifo){NULL, NULL};
  queue->high = queue->low = (fut_heap){NULL};
  queue->order = 0;
  atomic_init(&queue->closed, false);
  atomic_init(&queue->inbox_count, 0);
  atomic_init(&queue->urgent, 0);
  atomic_init(&queue->ready_count, 0);
  atomic_init(&queue->plain, 0);
  return queue;
}

void fut_queue_free(fut_queue *queue) {
  fut_mutex_fini(&queue->inbox_mutex);
  fut_mutex_fini(&queue->ready_mutex);
  fut_memory_free(queue);
}

static void append(fifo *list, fut_task *task) {
  task->next = NULL;
  if (list->last)
    list->last->next = task;
  else
    list->first = task;
  list->last = task;
}

static fut_task *remove_first(fifo *list) {
  fut_task *task = list->first;
  list->first = task->next;
  if (list->first == NULL)
    list->last = NULL;
  task->next = NULL;
  return task;
}

/* Change a count that only the holder of a lock changes. */
static void count(atomic_size_t *counter, size_t value) {
  atomic_store_explicit(counter, value, memory_order_relaxed);
}

static size_t counted(const atomic_size_t *counter) {
  return atomic_load_explicit(counter, memory_order_relaxed);
}

bool fut_queue_push(fut_queue *queue, fut_task *task) {
  fut_mutex_lock(&queue->inbox_mutex);
  bool open = !atomic_load_explicit(&queue->closed, memory_order_relaxed);
  if (open) {
    task->order = queue->order++;
    if (task->priority > 0)
      atomic_fetch_add(&queue->urgent, 1);
    append(&queue->inbox, task);
    /* sequentially consistent: whoever publishes a task and then sees nobody
       search is seen by whoever stops searching and looks (idle.c) */
    atomic_store(&queue->inbox_count, counted(&queue->inbox_count) + 1);
  }
  fut_mutex_unlock(&queue->inbox_mutex);
  return open;
}

void fut_queue_push_front(fut_queue *queue, fut_task *task) {
  fut_mutex_lock(&queue->ready_mutex);
  if (task->priority > 0)
    atomic_fetch_add(&queue->urgent, 1);
  if (task->priority == 0) {
    task->next = queue->ready.first;
    queue->ready.first = task;
    if (queue->ready.last == NULL)
      queue->ready.last = task;
    count(&queue->plain, counted(&queue->plain) + 1);
  } else
    fut_heap_push(task->priority > 0 ? &queue->high : &queue->low, task);
  /* sequentially consistent: as in fut_queue_push() */
  atomic_store(&queue->ready_count, counted(&queue->ready_count) + 1);
  fut_mutex_unlock(&queue->ready_mutex);
}

void fut_queue_close(fut_queue *queue) {
  fut_mutex_lock(&queue->inbox_mutex);
  atomic_store(&queue->closed, true);
  fut_mutex_unlock(&queue->inbox_mutex);
}

bool fut_queue_closed(const fut_queue *queue) {
  return atomic_load(&queue->closed);
}

size_t fut_queue_count(const fut_queue *queue) {
  /* inbox first: tasks move from there to the ready ones, and are then
     counted twice for a moment rather than not at all */
  size_t inbox = atomic_load(&queue->inbox_count);
  return inbox + atomic_load(&queue->ready_count);
}

bool fut_queue_urgent(const fut_queue *queue) {
  return atomic_load(&queue->urgent) > 0;
}

/* Sort what has come since into the ready tasks. Assumes ready_mutex held. */
static void open_inbox(fut_queue *queue) {
  if (atomic_load(&queue->inbox_count) == 0)
    return;
  fut_mutex_lock(&queue->inbox_mutex);
  fifo inbox = queue->inbox;
  size_t moved = counted(&queue->inbox_count);
  queue->inbox = (fifo){NULL, NULL};
  /* see fut_queue_count(): add before taking away */
  atomic_store(&queue->ready_count, counted(&queue->ready_count) + moved);
  atomic_store(&queue->inbox_count, 0);
  fut_mutex_unlock(&queue->inbox_mutex);
  fut_task *task = inbox.first;
  while (task) {
    fut_task *next = task->next;
    if (task->priority == 0) {
      append(&queue->ready, task);
      count(&queue->plain, counted(&queue->plain) + 1);
    } else
      fut_heap_push(task->priority > 0 ? &queue->high : &queue->low, task);
    task = next;
  }
}

/* Take the first of the ready tasks of priority 0, which is to be counted by
   taken(). Assumes ready_mutex held and that there is one. */
static fut_task *pull_plain(fut_queue *queue) {
  count(&queue->plain, counted(&queue->plain) - 1);
  return remove_first(&queue->ready);
}

/* Count tasks as taken out of the ready ones. Assumes ready_mutex held. */
static void taken(fut_queue *queue, size_t tasks) {
  /* release: who finds none here finds them in the link (partner: the load in
     fut_queue_count()) */
  atomic_store_explicit(&queue->ready_count,
                        counted(&queue->ready_count) - tasks,
                        memory_order_release);
}

static fut_task *pull_heap(fut_queue *queue, fut_heap *heap) {
  taken(queue, 1);
  fut_task *task = fut_heap_pop(heap);
  if (task->priority > 0)
    atomic_fetch_sub(&queue->urgent, 1);
  return task;
}

fut_task *fut_queue_pull_urgent(fut_queue *queue) {
  fut_task *task = NULL;
  fut_mutex_lock(&queue->ready_mutex);
  open_inbox(queue);
  if (queue->high.top)
    task = pull_heap(queue, &queue->high);
  fut_mutex_unlock(&queue->ready_mutex);
  return task;
}

fut_task *fut_queue_pull(fut_queue *queue, fut_link *link, unsigned share) {
  if (fut_queue_count(queue) == 0)
    return NULL;
  fut_task *task = NULL;
  fut_mutex_lock(&queue->ready_mutex);
  open_inbox(queue);
  if (queue->high.top)
    task = pull_heap(queue, &queue->high);
  else if (queue->ready.first) {
    size_t ahead = counted(&queue->plain) / share;
    size_t room = fut_link_room(link);
    size_t pulled = 1;
    task = pull_plain(queue);
    if (task->many)
      ahead = 0;
    for (; pulled < ahead && pulled <= room && !queue->ready.first->many;
         pulled++)
      fut_link_feed(link, (uint64_t)(uintptr_t)pull_plain(queue));
    taken(queue, pulled); /* now: on their way they are not out of sight */
  }
  fut_mutex_unlock(&queue->ready_mutex);
  return task;
}

fut_task *fut_queue_pull_low(fut_queue *queue) {
  if (fut_queue_count(queue) == 0)
    return NULL;
  fut_task *task = NULL;
  fut_mutex_lock(&queue->ready_mutex);
  open_inbox(queue);
  if (queue->low.top && !queue->high.top && !queue->ready.first)
    task = pull_heap(queue, &queue->low);
  fut_mutex_unlock(&queue->ready_mutex);
  return task;
}
