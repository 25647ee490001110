/* call.c - the call of a C function as a task, and who is told of its end

   The listeners are a stack that everybody may push to. Whoever ends the
   future takes it whole, puts `closed` in its place and calls them, the first
   one first; who finds it closed calls its own at once. */
#include "call.h"

#include "memory.h"

typedef struct listener {
  struct listener *next;
  futures_callback *callback;
  void *context;
} listener;

static listener closed; /* its address */

static _Thread_local fut_executor *here; /* whose task runs in this thread */

static fut_state run(fut_task *task, fut_worker_local *local) {
  (void)local;
  call *self = (call *)task;
  fut_executor *before = here;
  here = task->executor;
  self->result = self->function(self->argument);
  here = before;
  return FUT_FINISHED;
}

static void fail(fut_task *task, fut_err why, const char *message) {
  (void)message;
  ((call *)task)->failure = why;
  fut_future_end(&task->future, FUT_FAILED);
}

static void ended(fut_future *future) {
  call *self = (call *)future;
  listener *at = atomic_exchange(&self->listeners, &closed);
  listener *first = NULL;
  while (at) { /* turn it round */
    listener *next = at->next;
    at->next = first;
    first = at;
    at = next;
  }
  while (first) {
    listener *next = first->next;
    first->callback((futures_future *)self, first->context);
    fut_memory_free(first);
    first = next;
  }
}

static void fini(fut_future *future) {
  call *self = (call *)future;
  fut_task_fini(&self->task);
  /* a future may go that never ends: one of a parent process */
  listener *at = atomic_load(&self->listeners);
  while (at && at != &closed) {
    listener *next = at->next;
    fut_memory_free(at);
    at = next;
  }
}

static const fut_task_kind kind = {
    .future = {.object = {"call", fut_future_free},
               .fini = fini,
               .watched = fut_task_watched,
               .ended = ended},
    .run = run,
    .fail = fail};

call *call_new(fut_arena *arena, futures_function *function, void *argument,
               unsigned references) {
  call *self = fut_arena_take(arena);
  if (self == NULL)
    return NULL;
  fut_task_init(&self->task, &kind, arena);
  self->function = function;
  self->argument = argument;
  self->result = NULL;
  self->failure = FUT_OK;
  atomic_init(&self->listeners, NULL);
  /* relaxed: nobody else knows it yet */
  atomic_store_explicit(&self->task.future.object.references, references,
                        memory_order_relaxed);
  return self;
}

fut_executor *call_executor_here(void) { return here; }

bool call_help(call *self) {
  if (here == NULL || here != self->task.executor ||
      !fut_future_start(&self->task.future))
    return false;
  fut_task_left(&self->task);
  /* the queue lets go of it later */
  fut_future_end(&self->task.future, run(&self->task, NULL));
  return true;
}

fut_err call_listen(call *self, futures_callback *callback, void *context) {
  listener *before = atomic_load(&self->listeners);
  if (before != &closed) {
    listener *added = fut_memory_new(sizeof *added);
    if (added == NULL)
      return FUT_ENOMEM;
    *added = (listener){before, callback, context};
    while (added->next != &closed)
      if (atomic_compare_exchange_weak(&self->listeners, &added->next, added))
        return FUT_OK;
    fut_memory_free(added);
  }
  callback((futures_future *)self, context);
  return FUT_OK;
}
