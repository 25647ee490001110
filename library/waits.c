/* waits.c - futures as C programs see them, and waiting for one, the first, all
 */
#include "caller.h"
#include "memory.h"
#include "status.h"

#define FEW 16 /* futures that need no memory to be waited for */

static call *inner(const futures_future *future) {
  return (call *)(uintptr_t)future;
}

static fut_future *inner_future(const futures_future *future) {
  return &inner(future)->task.future;
}

static bool done(const futures_future *future) {
  return fut_state_done(fut_future_state(inner_future(future)));
}

void futures_future_hold(futures_future *future) {
  fut_object_hold(&inner_future(future)->object);
}

void futures_future_release(futures_future *future) {
  if (future)
    fut_future_release(inner_future(future), caller_arena());
}

futures_state futures_future_state(const futures_future *future) {
  switch (fut_future_state(inner_future(future))) {
  case FUT_PENDING:
    return FUTURES_PENDING;
  case FUT_RUNNING:
    return FUTURES_RUNNING;
  case FUT_CANCELLED:
    return FUTURES_CANCELLED;
  case FUT_FAILED:
    return FUTURES_FAILED;
  case FUT_FINISHED:
    break;
  }
  return FUTURES_FINISHED;
}

bool futures_cancel(futures_future *future) {
  fut_task_cancel(&inner(future)->task);
  return fut_future_state(inner_future(future)) == FUT_CANCELLED;
}

futures_status futures_add_done_callback(futures_future *future,
                                         futures_callback *callback,
                                         void *context) {
  return status_of(call_listen(inner(future), callback, context));
}

static fut_wait wait_by(caller *self, futures_deadline deadline) {
  return (fut_wait){
      .waiter = self->waiter, .spin = &self->spin, .deadline = deadline};
}

futures_status futures_result(futures_future *future, futures_deadline deadline,
                              void **result) {
  if (!done(future) && !(deadline != FUT_POLL && call_help(inner(future)))) {
    caller *self = caller_get();
    if (self == NULL)
      return FUTURES_ENOMEM;
    fut_wait wait = wait_by(self, deadline);
    fut_err err = fut_wait_future(&wait, inner_future(future));
    if (err != FUT_OK)
      return status_of(err);
  }
  fut_state state = fut_future_state(inner_future(future));
  if (state == FUT_CANCELLED)
    return FUTURES_ECANCELED;
  if (state == FUT_FAILED)
    return status_of(inner(future)->failure);
  if (result)
    *result = inner(future)->result;
  return FUTURES_OK;
}

/* Futures that are watched together. */
struct group {
  fut_completions queue;
  fut_completion *items; /* one for each; queue is NULL if not watched */
  size_t count;
};

static void group_open(struct group *group, futures_future *const futures[],
                       fut_waiter *waiter) {
  fut_completions_init(&group->queue, waiter);
  for (size_t i = 0; i < group->count; i++)
    fut_completions_add(&group->queue, &group->items[i],
                        inner_future(futures[i]));
}

/* Watch no longer. Return the one that came first, or NULL. */
static fut_completion *group_close(struct group *group) {
  fut_completion *first = NULL, *item;
  while ((item = fut_completions_take(&group->queue)) != NULL) {
    item->queue = NULL;
    if (first == NULL)
      first = item;
  }
  for (size_t i = 0; i < group->count; i++)
    if (group->items[i].queue)
      fut_completions_remove(&group->items[i]);
  fut_completions_fini(&group->queue);
  return first;
}

/* Wait until so many have ended; set *first to the one that came first. */
static fut_err wait_together(futures_future *const futures[], size_t count,
                             size_t wanted, futures_deadline deadline,
                             size_t *first) {
  for (size_t i = 0; i < count; i++)
    if (fut_future_lost(inner_future(futures[i])))
      return FUT_ELOST;
  if (deadline == FUT_POLL)
    return FUT_ETIMEDOUT;
  caller *self = caller_get();
  if (self == NULL || count > SIZE_MAX / sizeof(fut_completion))
    return FUT_ENOMEM;
  fut_completion few[FEW];
  struct group group = {.items = few, .count = count};
  if (count > FEW)
    group.items = fut_memory_new(count * sizeof *few);
  if (group.items == NULL)
    return FUT_ENOMEM;
  group_open(&group, futures, self->waiter);
  fut_completions_want(&group.queue, wanted, false);
  fut_wait wait = wait_by(self, deadline);
  fut_err err = fut_wait_completions(&wait, &group.queue);
  const fut_completion *item = group_close(&group);
  if (item)
    *first = (size_t)(item - group.items);
  if (group.items != few)
    fut_memory_free(group.items);
  return err;
}

futures_status futures_wait_all(futures_future *const futures[], size_t count,
                                futures_deadline deadline) {
  size_t left = 0, first;
  for (size_t i = 0; i < count; i++)
    left += !done(futures[i]) &&
            !(deadline != FUT_POLL && call_help(inner(futures[i])));
  if (left == 0)
    return FUTURES_OK;
  return status_of(wait_together(futures, count, count, deadline, &first));
}

futures_status futures_wait_first(futures_future *const futures[], size_t count,
                                  futures_deadline deadline, size_t *first) {
  if (count == 0)
    return FUTURES_EINVAL;
  size_t found = count;
  for (size_t i = 0; i < count && found == count; i++)
    if (done(futures[i]))
      found = i;
  for (size_t i = 0; i < count && found == count && deadline != FUT_POLL; i++)
    if (call_help(inner(futures[i])))
      found = i;
  if (found == count) {
    fut_err err = wait_together(futures, count, 1, deadline, &found);
    if (err != FUT_OK)
      return status_of(err);
  }
  if (first)
    *first = found;
  return FUTURES_OK;
}
