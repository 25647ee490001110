/* results_tasks.c - calls of a map of which each is a task */
#include "results.h"

#include "callbacks.h"
#include "fail.h"
#include "interrupt.h"
#include "job.h"
#include "lsubmit.h"
#include "memory.h"
#include "outcome.h"

/* A call under way. */
struct results_task {
  fut_completion completion; /* unordered: in the queue, or taken from it */
  struct results_task *before, *after;
  fut_future *future; /* a reference */
  uint64_t number;
};

/* Put the call of a future behind the others; takes the reference. */
static bool append(results *r, fut_future *future) {
  struct results_task *task = fut_memory_new(sizeof *task);
  if (task == NULL)
    return false;
  task->future = future;
  task->number = r->pulled + 1;
  task->after = NULL;
  task->before = r->last;
  if (r->last)
    r->last->after = task;
  else
    r->first = task;
  r->last = task;
  if (!r->options.ordered)
    fut_completions_add(&r->queue, &task->completion, future);
  return true;
}

/* Let go of a call, which is not in the queue. here as in
   fut_future_release(). */
static void forget(results *r, struct results_task *task, fut_arena *here) {
  if (task->before)
    task->before->after = task->after;
  else
    r->first = task->after;
  if (task->after)
    task->after->before = task->before;
  else
    r->last = task->before;
  if (r->taken == task)
    r->taken = NULL;
  fut_future_release(task->future, here);
  fut_memory_free(task);
}

/* Push the box that holds the future of a call while it goes out, whatever is
   raised meanwhile. */
static future_box *outgoing(lua_State *L, context *ctx) {
  if (lua_getiuservalue(L, 1, RESULTS_OUTGOING) == LUA_TNIL) {
    lua_pop(L, 1);
    future_push(L, ctx);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, RESULTS_OUTGOING);
  }
  return lua_touserdata(L, -1);
}

static void add(lua_State *L, context *ctx, results *r, int first, int count) {
  if (!r->open && !r->options.ordered) {
    fut_completions_init(&r->queue, ctx->waiter);
    r->open = true;
  }
  call_options options = *view_options(L, 0); /* the usual ones */
  options.priority = r->options.priority;
  future_box *box = outgoing(L, ctx);
  executor_schedule(L, ctx, r->executor, box, first, count, &options);
  if (!append(r, box->future))
    fail_no_memory(L);
  box->future = NULL;
  lua_pop(L, 1);
}

static void announce(lua_State *L, context *ctx, results *r, bool due) {
  (void)L, (void)ctx, (void)r, (void)due;
}

static uint64_t ample(const results *r) {
  unsigned workers = r->executor->max_workers;
  return workers ? 4 * (uint64_t)workers + 16 : 1;
}

static bool ready(results *r) {
  if (r->first == NULL)
    return false;
  if (r->options.ordered)
    return fut_state_done(fut_task_state((fut_task *)r->first->future));
  if (r->taken == NULL)
    r->taken = (struct results_task *)fut_completions_take(&r->queue);
  return r->taken != NULL;
}

/* Wait until some call has ended. */
static bool await_any(lua_State *L, context *ctx, results *r) {
  interrupt_check(L, ctx);
  callbacks_go_on(L, ctx);
  if (r->ended || ready(r))
    return true;
  fut_wait wait = context_wait(ctx, r->deadline);
  switch (fut_wait_completions(&wait, &r->queue)) {
  case FUT_OK:
    return true;
  case FUT_EAGAIN:
    callbacks_run(L, ctx);
    return true;
  case FUT_EINTR:
    interrupt_deliver(L, ctx);
    return true;
  default:
    return false;
  }
}

/* Wait until the first call has ended. */
static bool await_first(lua_State *L, context *ctx, results *r) {
  future_box *box = future_push(L, ctx); /* lets go, whatever is raised */
  fut_object_hold(&r->first->future->object);
  box->future = r->first->future;
  bool in_time = future_wait_until(L, ctx, box->future, r->deadline);
  lua_pop(L, 1);
  return in_time;
}

static bool await(lua_State *L, context *ctx, results *r) {
  return r->options.ordered ? await_first(L, ctx, r) : await_any(L, ctx, r);
}

static fut_state read(lua_State *L, context *ctx, results *r, int *count) {
  struct results_task *task = r->options.ordered ? r->first : r->taken;
  fut_state state = fut_future_state(task->future);
  lua_pushinteger(L, (lua_Integer)task->number);
  *count = 0;
  if (state != FUT_CANCELLED) {
    job_content outcome = job_outcome(task->future);
    *count = outcome_decode(L, ctx, &outcome, job_mode(task->future), state);
  }
  forget(r, task, ctx->arena);
  return state;
}

static void cancel(results *r) {
  for (struct results_task *task = r->first; task; task = task->after)
    if (fut_task_cancel((fut_task *)task->future))
      job_drop(task->future);
}

static void close(results *r) {
  while (r->first) {
    if (r->open && r->first != r->taken)
      fut_completions_remove(&r->first->completion);
    forget(r, r->first, NULL);
  }
  if (r->open)
    fut_completions_fini(&r->queue);
  r->open = false;
}

const carrier carrier_tasks = {add,   announce, ample,  ready,
                               await, read,     cancel, close};
