/* lsubmit.c - a call given to an executor, as Lua does it */
#include "lsubmit.h"

#include "arg.h"
#include "fail.h"
#include "interrupt.h"
#include "job.h"
#include "lexecutor.h"
#include "serial.h"

_Noreturn void executor_raise(lua_State *L, context *ctx,
                              const fut_executor *executor, fut_err err) {
  const char *why = fut_executor_broken(executor);
  if (why && err == FUT_EBROKENTHREADS)
    fail_raise(L, ctx, FAIL_BROKEN_THREAD_POOL, "%s", why);
  if (why && err == FUT_EBROKENPROCESSES)
    fail_raise(L, ctx, FAIL_BROKEN_PROCESS_POOL, "%s", why);
  fail_raise_err(L, ctx, err);
}

/* Wait until executor may take a task; callbacks run meanwhile. */
static void wait_vacancy(lua_State *L, context *ctx, fut_executor *executor) {
  fut_future *vacancy = fut_executor_vacancy(executor);
  if (vacancy == NULL)
    fail_no_memory(L);
  future_box *box = future_push(L, ctx); /* lets go of it, whatever is raised */
  box->future = vacancy;
  future_wait(L, ctx, vacancy, FUT_NEVER);
  lua_pop(L, 1);
}

/* Give the task what the options say. */
static fut_err set_options(struct job *job, const call_options *options) {
  fut_task *task = job_task(job);
  if (options->timeout < 1e9) /* else none */
    task->timeout =
        options->timeout > 0 ? (fut_deadline)(options->timeout * 1e9) : 0;
  task->priority = options->priority;
  return options->name == NULL || job_set_name(job, options->name)
             ? FUT_OK
             : fut_executor_refuse(task, FUT_ENOMEM);
}

void executor_function(lua_State *L, int arg) {
  if (lua_type(L, arg) == LUA_TSTRING) { /* a chunk */
    size_t length;
    const char *text = lua_tolstring(L, arg, &length);
    if (luaL_loadbufferx(L, text, length, text, "t") != LUA_OK)
      lua_error(L);
    lua_replace(L, arg);
  } else if (!lua_isfunction(L, arg))
    arg_type_error(L, arg, "function");
}

enum wire_mode executor_mode(const fut_executor *executor) {
  return fut_executor_far(executor) ? WIRE_PORTABLE : WIRE_THREAD;
}

wire_message *executor_message(lua_State *L, context *ctx,
                               fut_executor *executor) {
  wire_message *message = context_message(L, ctx);
  message->shelf = fut_executor_far(executor) ? executor : NULL;
  return message;
}

void executor_schedule(lua_State *L, context *ctx, fut_executor *executor,
                       future_box *box, int first, int count,
                       const call_options *options) {
  bool serial = fut_serial_is(executor);
  if (serial) {
    interrupt_check(L, ctx);
    fut_serial_attend(executor, interrupt_wanted, ctx);
  }
  enum wire_mode mode = executor_mode(executor);
  wire_message *message = executor_message(L, ctx, executor);
  wire_encode(L, ctx->wire, first, count, mode, "argument", message);
  struct job *job = job_new(ctx, message, mode);
  if (job == NULL)
    fail_no_memory(L);
  box->future = job_future(job);
  fut_task *task = job_task(job);
  fut_err err = set_options(job, options);
  if (err == FUT_OK)
    err = fut_executor_submit(executor, task);
  while (err == FUT_EFULL) {
    /* the executor's reference, which an interrupt would lose */
    fut_future_release(&task->future, ctx->arena);
    wait_vacancy(L, ctx, executor);
    fut_object_hold(&task->future.object);
    err = fut_executor_submit(executor, task);
  }
  if (err != FUT_OK)
    executor_raise(L, ctx, executor, err);
  if (serial)
    interrupt_check(L, ctx); /* what has ended the task ends us, too */
}

int l_executor_submit(lua_State *L) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  executor_function(L, 2);
  int count = lua_gettop(L) - 1;
  future_box *future = future_push(L, ctx);
  executor_schedule(L, ctx, box->executor, future, 2, count,
                    view_options(L, 1));
  return 1;
}
