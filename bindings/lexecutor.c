/* lexecutor.c - the classes of executors as Lua sees them */
#include "lexecutor.h"

#include "arg.h"
#include "callbacks.h"
#include "fail.h"
#include "interrupt.h"
#include "job.h"
#include "lfuture.h"
#include "lresults.h"
#include "lview.h"
#include "process_pool.h"
#include "serial.h"
#include "state.h"
#include "state_environment.h"
#include "stats.h"
#include "travel.h"
#include "worker.h"

#include <signal.h>
#include <string.h>

static const char executor_magic = 'x';

static executor_box *box_test(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA ||
      lua_rawlen(L, index) != sizeof(executor_box))
    return NULL;
  executor_box *box = lua_touserdata(L, index);
  return box->magic == &executor_magic ? box : NULL;
}

executor_box *executor_check(lua_State *L, int arg) {
  executor_box *box;
  if (view_push_executor(L, arg)) {
    box = lua_touserdata(L, -1); /* which the view keeps */
    lua_pop(L, 1);
  } else
    box = box_test(L, arg);
  if (box == NULL)
    arg_type_error(L, arg, "Executor");
  if (box->executor == NULL)
    luaL_error(L, "the Lua state is closing");
  return box;
}

/* Push an empty box of the class whose metatable the reference is. */
static executor_box *box_push(lua_State *L, int metatable) {
  executor_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (executor_box){.magic = &executor_magic};
  lua_rawgeti(L, LUA_REGISTRYINDEX, metatable);
  lua_setmetatable(L, -2);
  return box;
}

/* Whether the executor is the one that runs this state's tasks. */
static bool is_own(const context *ctx, const fut_executor *executor) {
  return ctx->runner && ctx->runner->executor == executor;
}

void executor_push(lua_State *L, context *ctx, fut_executor *executor) {
  int metatable = fut_executor_far(executor) ? ctx->process_executor
                  : fut_serial_is(executor)  ? ctx->serial_executor
                                             : ctx->executor;
  executor_box *box = box_push(L, metatable);
  if (is_own(ctx, executor))
    fut_object_hold(&executor->object);
  else
    box->handle = fut_handle_hold(executor);
  box->executor = executor;
}

fut_executor *executor_test(lua_State *L, int index) {
  executor_box *box = box_test(L, index);
  return box ? box->executor : NULL;
}

fut_object *executor_handle(context *ctx, fut_executor *executor) {
  if (is_own(ctx, executor) && ctx->own_handle == NULL)
    ctx->own_handle = fut_handle_hold(executor);
  return &executor->handle;
}

/* Return a limit among the options in the table at index 1. */
static size_t limit(lua_State *L, const char *name) {
  size_t value = FUT_UNLIMITED;
  if (lua_getfield(L, 1, name) != LUA_TNIL)
    value = (size_t)luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  return value;
}

/* Return the options in the table at index 1, which were checked and where
   max_workers and name are given. The name stays in the table. */
static fut_pool_options pool_options(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "max_workers");
  lua_getfield(L, 1, "name");
  lua_getfield(L, 1, "idle_timeout");
  fut_pool_options options = fut_pool_options_of(
      (unsigned)luaL_checkinteger(L, -3), luaL_checkstring(L, -2));
  if (!lua_isnil(L, -1)) {
    lua_Number seconds = luaL_checknumber(L, -1);
    if (seconds < 1e9) /* else never */
      options.idle_timeout = (fut_deadline)(seconds * 1e9);
  }
  lua_pop(L, 3);
  options.max_tasks_per_child = limit(L, "max_tasks_per_child");
  options.max_pending = limit(L, "max_pending");
  options.memory_limit = limit(L, "memory_limit");
  return options;
}

/* The box on top of the stack has a new executor, unless err says why not. */
static int opened(lua_State *L, context *ctx, executor_box *box, fut_err err) {
  if (err != FUT_OK)
    fail_raise_err(L, ctx, err);
  box->handle = fut_handle_hold(box->executor);
  fut_object_release(&box->executor->object);
  if (!context_add_pool(ctx, box->executor))
    fail_no_memory(L);
  travel_remember(L, ctx, -1, box->executor);
  return 1;
}

/* Encode the initializer in the table at index 1 with its arguments. Returns
   NULL if there is none. */
static wire_message *encode_initializer(lua_State *L, context *ctx,
                                        enum wire_mode mode) {
  int top = lua_gettop(L);
  if (lua_getfield(L, 1, "initializer") == LUA_TNIL) {
    lua_pop(L, 1);
    return NULL;
  }
  int count = 0;
  if (lua_getfield(L, 1, "initargs") != LUA_TNIL) {
    count = (int)luaL_len(L, -1);
    luaL_checkstack(L, count, "too many initargs");
    for (int i = 1; i <= count; i++)
      lua_geti(L, top + 2, i);
  }
  lua_remove(L, top + 2);
  wire_message *message = context_message(L, ctx);
  wire_encode(L, ctx->wire, top + 1, count + 1, mode, "argument", message);
  lua_settop(L, top);
  return message;
}

/* Return what all states of a pool with the options at index 1 start with. The
   caller owns it. */
static fut_object *new_environment(lua_State *L, context *ctx,
                                   enum wire_mode mode, size_t memory_limit) {
  const char *path = luaL_checkstring(L, 2);
  const char *cpath = luaL_checkstring(L, 3);
  wire_message *initializer = encode_initializer(L, ctx, mode);
  state_environment *environment =
      state_environment_new(mode, path, cpath, memory_limit, initializer);
  if (environment == NULL)
    fail_no_memory(L);
  return &environment->object;
}

typedef fut_err local_maker(const fut_pool_options *options,
                            const fut_worker_ops *ops, fut_executor **executor);

/* Make an executor whose tasks run in this process, of the arguments options,
   path, cpath, which were checked. */
static int make_local(lua_State *L, context *ctx, int metatable,
                      local_maker *make) {
  fut_pool_options options = pool_options(L);
  if (ctx->finishing)
    fail_raise_err(L, ctx, FUT_ESHUTDOWN);
  executor_box *box = box_push(L, metatable);
  options.environment =
      new_environment(L, ctx, WIRE_THREAD, options.memory_limit);
  fut_err err = make(&options, &state_ops, &box->executor);
  fut_object_release(options.environment);
  return opened(L, ctx, box, err);
}

static int l_executor_thread_pool(lua_State *L) {
  context *ctx = context_get(L);
  return make_local(L, ctx, ctx->executor, fut_thread_pool_new);
}

static int l_executor_serial(lua_State *L) {
  context *ctx = context_get(L);
  return make_local(L, ctx, ctx->serial_executor, fut_serial_new);
}

/* process_pool(options, path, cpath, program): arguments were checked */
static int l_executor_process_pool(lua_State *L) {
  context *ctx = context_get(L);
  fut_process_pool_options options = {.pool = pool_options(L)};
  const char *path = luaL_checkstring(L, 2);
  const char *cpath = luaL_checkstring(L, 3);
  options.program = luaL_checkstring(L, 4);
  lua_getfield(L, 1, "respawn");
  options.respawn = lua_toboolean(L, -1);
  if (ctx->finishing)
    fail_raise_err(L, ctx, FUT_ESHUTDOWN);
  executor_box *box = box_push(L, ctx->process_executor);
  wire_message *initializer = encode_initializer(L, ctx, WIRE_PORTABLE);
  wire_message settings;
  wire_message_init(&settings);
  fut_err err = FUT_ENOMEM;
  if (worker_settings(&settings, path, cpath, initializer)) {
    options.settings = settings.bytes;
    options.settings_size = settings.size;
    err = fut_process_pool_new(&options, &box->executor);
    wire_message_fini(&settings);
  }
  if (initializer)
    wire_message_clear(initializer);
  return opened(L, ctx, box, err);
}

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

void executor_schedule(lua_State *L, context *ctx, fut_executor *executor,
                       int first, int count, const call_options *options) {
  bool serial = fut_serial_is(executor);
  if (serial) {
    interrupt_check(L, ctx);
    fut_serial_attend(executor, interrupt_wanted, ctx);
  }
  future_box *future = future_push(L, ctx);
  int at = lua_gettop(L);
  wire_message *message = context_message(L, ctx);
  enum wire_mode mode =
      fut_executor_far(executor) ? WIRE_PORTABLE : WIRE_THREAD;
  wire_encode(L, ctx->wire, first, count, mode, "argument", message);
  struct job *job = job_new(ctx, message, mode);
  if (job == NULL)
    fail_no_memory(L);
  future->future = job_future(job);
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
  lua_settop(L, at);         /* the future */
}

static int l_executor_submit(lua_State *L) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  executor_function(L, 2);
  executor_schedule(L, ctx, box->executor, 2, lua_gettop(L) - 1,
                    view_options(L, 1));
  return 1;
}

/* Wait until no worker runs; callbacks run meanwhile. */
static void wait_terminated(lua_State *L, context *ctx,
                            fut_executor *executor) {
  if (fut_executor_forked(executor)) {
    callbacks_run(L, ctx);
    return;
  }
  interrupt_check(L, ctx);
  callbacks_go_on(L, ctx);
  fut_err err;
  do {
    fut_wait wait = context_wait(ctx, FUT_NEVER);
    err = fut_wait_future(&wait, fut_executor_terminated(executor));
    if (err == FUT_EAGAIN)
      callbacks_run(L, ctx);
    else if (err == FUT_EINTR)
      interrupt_deliver(L, ctx);
    else if (err != FUT_OK)
      fail_raise_err(L, ctx, err);
  } while (err != FUT_OK);
  fut_executor_join(executor);
  future_settle(L, ctx, fut_executor_terminated(executor));
}

static bool option(lua_State *L, const char *name, bool otherwise) {
  lua_getfield(L, 2, name);
  if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
    luaL_argerror(L, 2,
                  lua_pushfstring(L, "option '%s': boolean expected, got %s",
                                  name, luaL_typename(L, -1)));
  bool value = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* Raise for a key that is no option. */
static void check_options(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    const char *key =
        lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    if (key == NULL ||
        (strcmp(key, "wait") != 0 && strcmp(key, "cancel_futures") != 0))
      luaL_argerror(L, 2,
                    lua_pushfstring(L, "unknown option '%s'",
                                    luaL_tolstring(L, -2, NULL)));
    lua_pop(L, 1);
  }
}

static int l_executor_shutdown(lua_State *L) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  bool wait = true, cancel = false;
  if (lua_isboolean(L, 2))
    wait = lua_toboolean(L, 2);
  else if (!lua_isnoneornil(L, 2)) {
    if (!lua_istable(L, 2))
      arg_type_error(L, 2, "table or boolean");
    check_options(L);
    wait = option(L, "wait", true);
    cancel = option(L, "cancel_futures", false);
  }
  if (wait && fut_executor_inside(box->executor))
    fail_raise_err(L, ctx, FUT_EDEADLOCK);
  fut_executor_shutdown(box->executor, cancel);
  if (wait)
    wait_terminated(L, ctx, box->executor);
  else
    callbacks_run(L, ctx);
  return 0;
}

/* __close(executor, error) */
static int executor_close(lua_State *L) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  bool failed = !lua_isnoneornil(L, 2);
  if (fut_executor_inside(box->executor))
    fail_raise_err(L, ctx, FUT_EDEADLOCK);
  fut_executor_shutdown(box->executor, failed);
  bool stopped = ctx->local && state_stopping(ctx->local);
  if (failed && (stopped || interrupt_is(L, ctx, 2))) {
    /* who wants out: what runs is stopped, and nobody waits for that */
    fut_executor_halt(box->executor);
    context_abandon_pool(ctx, box->executor);
    callbacks_run(L, ctx);
  } else
    wait_terminated(L, ctx, box->executor);
  return 0;
}

static int executor_gc(lua_State *L) {
  executor_box *box = lua_touserdata(L, 1);
  if (box->executor == NULL)
    return 0;
  fut_executor *executor = box->executor;
  box->executor = NULL;
  fut_object_release(box->handle ? box->handle : &executor->object);
  return 0;
}

/* kill(executor, signal): terminate_workers and kill_workers */
static int kill_workers(lua_State *L, int signal) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  fut_executor_kill(box->executor, signal);
  callbacks_run(L, ctx);
  return 0;
}

static int l_executor_terminate_workers(lua_State *L) {
  return kill_workers(L, SIGTERM);
}

static int l_executor_kill_workers(lua_State *L) {
  return kill_workers(L, SIGKILL);
}

static int l_executor_stats(lua_State *L) {
  executor_box *box = executor_check(L, 1);
  context *ctx = context_get(L);
  if (fut_executor_forked(box->executor))
    fail_raise_err(L, ctx, FUT_EFORKED);
  stats_push(L, box->executor);
  return 1;
}

static int l_executor_tostring(lua_State *L) {
  executor_box *box = executor_check(L, 1);
  luaL_getmetafield(L, 1, "__name");
  const char *name = lua_tostring(L, -1);
  fut_executor_stats stats;
  if (fut_executor_forked(box->executor)) {
    lua_pushfstring(L, "<%s at %p of the parent process>", name,
                    (void *)box->executor);
    return 1;
  }
  fut_executor_stats_get(box->executor, &stats);
  const char *broken = fut_executor_broken(box->executor) ? " broken" : "";
  lua_pushfstring(L, "<%s at %p workers=%d pending=%I%s>", name,
                  (void *)box->executor, (int)stats.workers,
                  (LUAI_UACINT)stats.pending, broken);
  return 1;
}

static const luaL_Reg methods[] = {{"submit", l_executor_submit},
                                   {"map", l_executor_map},
                                   {"shutdown", l_executor_shutdown},
                                   {"stats", l_executor_stats},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", executor_gc},
                                       {"__close", executor_close},
                                       {"__tostring", l_executor_tostring},
                                       {NULL, NULL}};

static const luaL_Reg process_methods[] = {
    {"terminate_workers", l_executor_terminate_workers},
    {"kill_workers", l_executor_kill_workers},
    {NULL, NULL}};

/* Make a class with methods and an optional parent at index, 0 for none; push
   it. The context is at index upvalue. */
static void push_class(lua_State *L, int upvalue, int parent,
                       const luaL_Reg *own) {
  lua_newtable(L);
  if (own) {
    lua_pushvalue(L, upvalue);
    luaL_setfuncs(L, own, 1);
  }
  lua_createtable(L, 0, 2);
  if (parent) {
    lua_pushvalue(L, parent);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
}

/* Push a metatable for the class at index; a view's does not end what it is a
   view of. */
static void push_metatable(lua_State *L, int upvalue, int class,
                           const char *name, bool view) {
  lua_createtable(L, 0, 7);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, metamethods, 1);
  if (view) {
    lua_pushnil(L);
    lua_setfield(L, -2, "__gc");
    view_set_reduce(L);
  }
  lua_pushvalue(L, class);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, class);
  lua_setfield(L, -2, "__class");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
}

/* Make the class of one kind of executors, set it in the module below the
   context at index upvalue, and return a reference to its metatable. */
static int open_class(lua_State *L, int upvalue, int base, const char *name,
                      const luaL_Reg *own) {
  push_class(L, upvalue, base, own);
  int class = lua_gettop(L);
  push_metatable(L, upvalue, class, name, false);
  push_metatable(L, upvalue, class, name, true);
  lua_setfield(L, -2, "__view");
  int reference = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_setfield(L, upvalue - 1, name);
  return reference;
}

static const luaL_Reg functions[] = {{"thread_pool", l_executor_thread_pool},
                                     {"process_pool", l_executor_process_pool},
                                     {"serial", l_executor_serial},
                                     {"view", l_view_new},
                                     {NULL, NULL}};

void lexecutor_open(lua_State *L, context *ctx) {
  int upvalue = lua_gettop(L), module = upvalue - 1;
  push_class(L, upvalue, 0, methods);
  int base = lua_gettop(L);
  ctx->executor = open_class(L, upvalue, base, "ThreadPoolExecutor", NULL);
  ctx->process_executor =
      open_class(L, upvalue, base, "ProcessPoolExecutor", process_methods);
  ctx->serial_executor = open_class(L, upvalue, base, "SerialExecutor", NULL);
  lua_setfield(L, module, "Executor");
  lua_pushvalue(L, module);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, functions, 1);
  lua_pop(L, 1);
}
