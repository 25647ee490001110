/* handle.c - who may still submit to an executor: it ends with the last one

   All handles together hold one reference to the executor. */
#include "handle.h"

#include <stddef.h>

static fut_executor *owner(fut_object *handle) {
  return (fut_executor *)(void *)((char *)handle -
                                  offsetof(fut_executor, handle));
}

static void handle_free(fut_object *handle) {
  fut_executor *executor = owner(handle);
  fut_executor_abandon(executor);
  fut_object_release(&executor->object);
}

static const fut_object_kind handle_kind = {"handle", handle_free};

void fut_handle_init(fut_executor *executor) {
  fut_object_init(&executor->handle, &handle_kind);
  atomic_init(&executor->handle.references, 0);
  executor->handled = false;
}

fut_object *fut_handle_hold(fut_executor *executor) {
  if (!executor->handled)
    executor->handled = true; /* nobody else knows it yet */
  /* relaxed: the reference or handle held orders everything */
  if (atomic_fetch_add_explicit(&executor->handle.references, 1,
                                memory_order_relaxed) == 0)
    fut_object_hold(&executor->object);
  return &executor->handle;
}

fut_executor *fut_handle_executor(fut_object *object) {
  return object->kind == &handle_kind ? owner(object) : NULL;
}

bool fut_handle_none(const fut_executor *executor) {
  return executor->handled && atomic_load(&executor->handle.references) == 0;
}
