/* state.c - a worker's lua_State: made, used and closed on that worker

   Its stack holds two values for good: the message handler and the function
   that makes a call, which run under lua_pcall for each task. */
#include "state.h"

#include "callbacks.h"
#include "failure.h"
#include "memory.h"
#include "on_state.h"
#include "state_environment.h"
#include "stop.h"
#include "warn.h"
#include "worker_functions.h"

#include <lualib.h>
#include <string.h>

#define UNTIDY ((size_t)256 << 10) /* bytes that are worth a collection */
#define TIDY_NS 20000              /* how long to collect at a time */
#define TIDY_LIMIT_NS 50000000     /* and in all, and for each KiB */
#define TIDY_KB_NS 4000

enum phase { RECEIVING, RUNNING, SENDING };

struct fut_worker_local {
  lua_State *L;
  const state_environment *environment; /* the pool's, which outlives it */
  fut_worker_report *report;
  allocator allocator;
  warnings warnings;
  stop stop;
  wire_state *wire;
  wire_message outcome;
  const job_content *call;      /* of the task that runs */
  const job_content *arguments; /* that lie apart; NULL: they do not */
  const char *name;             /* of that task, or NULL */
  wire_lease lease;             /* of its function */
  enum phase phase;
  int failure;    /* reference to what on_state_run() raised, or LUA_NOREF */
  fut_task *task; /* that runs; NULL: none, or none that is known */
  uint64_t call_number; /* of the call that is being made; 0: none */
  uint64_t calls;       /* that were begun */
  size_t untidy_from;   /* bytes of the state; see state_tidy() */
  int64_t tidying;      /* ns spent on that since it was tidy */
  size_t cycled;        /* bytes after the last cycle of that; SIZE_MAX: none */
  unsigned depth;       /* of tasks that it runs inside of */
  fut_runner *runner;   /* of its worker; NULL: none */
  context *ctx;         /* once the state has opened the module; or NULL */
};

static const char local_key; /* its address: the local in the registry */

enum { HANDLER = 1, CALLER = 2 }; /* the values at the bottom of the stack */

/* --- opening and closing ---------------------------------------------------
 */

static int call(lua_State *L);

/* Add the traceback to an error of the task: it becomes a table of both. */
static int handle(lua_State *L) {
  const fut_worker_local *local = lua_touserdata(L, lua_upvalueindex(1));
  if (local->phase != RUNNING)
    return 1;
  return failure_handle(L, local->name, local->depth > 0 ? call : NULL);
}

static size_t held(const fut_worker_local *local) {
  return local->allocator.used;
}

static int call(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, lua_upvalueindex(1));
  const job_content *content = local->call;
  if (local->failure != LUA_NOREF) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, local->failure);
    lua_error(L);
  }
  enum wire_mode mode = local->environment->mode;
  int count =
      wire_decode_task(L, local->wire, mode, content->bytes, content->size,
                       content->objects, content->object_count, &local->lease);
  content = local->arguments;
  if (content)
    count += wire_decode(L, local->wire, mode, content->bytes, content->size,
                         content->objects, content->object_count);
  local->phase = RUNNING;
  lua_call(L, count - 1, LUA_MULTRET);
  local->phase = SENDING;
  if (local->allocator.limit != FUT_UNLIMITED) {
    size_t used = held(local);
    local->outcome.limit =
        used < local->allocator.limit ? local->allocator.limit - used : 1;
  }
  wire_encode(L, local->wire, 1, lua_gettop(L), mode, "result",
              &local->outcome);
  return 0;
}

static void set_path(lua_State *L, const char *field, const char *path) {
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_pushstring(L, path);
  lua_setfield(L, -2, field);
  lua_pop(L, 1);
}

/* Find the source of functions as the module does, which is loaded when that is
   needed first. */
static void set_source(lua_State *L, wire_state *wire) {
  if (luaL_loadstring(L, "return require('futures.source').chunk(...)") !=
      LUA_OK)
    lua_error(L);
  wire_state_set_source(L, wire);
}

static int run_on_state(lua_State *L) {
  on_state_run(L);
  return 0;
}

/* Run what the host has for every state, and keep what it raised. Raises
   memory errors. */
static void prepare(lua_State *L, fut_worker_local *local) {
  lua_pushcfunction(L, run_on_state);
  int status = lua_pcall(L, 0, 0, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK)
    local->failure = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Arguments: local. Return handler and caller. */
static int setup(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, 1);
  const state_environment *environment = local->environment;
  lua_pushvalue(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &local_key);
  stop_open(&local->stop, L, local->report, call);
  luaL_openlibs(L);
  stop_replace_functions(L);
  if (environment->mode == WIRE_THREAD) /* a process is a worker's own */
    worker_functions_replace(L, &environment->signals);
  else
    worker_functions_watch(L);
  set_path(L, "path", environment->path);
  set_path(L, "cpath", environment->cpath);
  local->wire = wire_state_push(L);
  wire_state_set_hooks(local->wire, &failure_hooks);
  luaL_ref(L, LUA_REGISTRYINDEX);
  wire_state_set_shelf(local->wire, environment->shelf,
                       environment->shelf_size);
  if (environment->mode == WIRE_PORTABLE) /* functions may come back */
    set_source(L, local->wire);
  prepare(L, local);
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, handle, 1);
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, call, 1);
  return 2;
}

/* Argument: local. Run the initializer. */
static int initialize(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, 1);
  const wire_message *message = &local->environment->initializer;
  lua_settop(L, 0);
  int count =
      wire_decode(L, local->wire, local->environment->mode, message->bytes,
                  message->size, message->objects, message->object_count);
  lua_call(L, count - 1, 0);
  return 0;
}

/* Turn what the initializer raised, the argument, into a message. */
static int explain(lua_State *L) {
  if (lua_istable(L, 1) && !luaL_getmetafield(L, 1, "__tostring"))
    lua_rawgeti(L, 1, 1); /* a refusal, or any table */
  else
    lua_settop(L, 1);
  lua_pushfstring(L, "the initializer of a worker failed: %s",
                  luaL_tolstring(L, -1, NULL));
  return 1;
}

static char *copy(const char *text) {
  size_t size = strlen(text) + 1;
  char *block = fut_memory_new(size);
  return block ? memcpy(block, text, size) : NULL;
}

/* FUT_EINTR if it was stopped; if it has failed *why says how, unless memory
   ran out. */
static fut_err run_initializer(fut_worker_local *local, char **why) {
  lua_State *L = local->L;
  if (local->environment->initializer.size == 0)
    return FUT_OK;
  stop_begin(&local->stop, L);
  lua_pushcfunction(L, initialize);
  lua_pushlightuserdata(L, local);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK)
    return FUT_OK;
  if (state_stopping(local))
    return FUT_EINTR;
  lua_pushcfunction(L, explain);
  lua_insert(L, -2);
  *why = lua_pcall(L, 1, 1, 0) == LUA_OK
             ? copy(lua_tostring(L, -1))
             : copy("the initializer of a worker failed");
  return FUT_EBROKENTHREADS;
}

static void state_close(fut_worker_local *local) {
  stop_begin(&local->stop, local->L);
  lua_close(local->L);
  allocator_fini(&local->allocator);
  wire_message_fini(&local->outcome);
  fut_memory_free(local);
}

/* From now on, so much more is garbage most probably. */
static void now_tidy(fut_worker_local *local) {
  size_t used = held(local);
  local->untidy_from = used + used / 2 + UNTIDY;
  local->report->untidy = false;
  local->tidying = 0;
  local->cycled = SIZE_MAX;
}

static fut_err state_open(fut_object *object, fut_runner *runner,
                          fut_worker_report *report, fut_worker_local **opened,
                          char **why) {
  fut_worker_local *local = fut_memory_new(sizeof *local);
  if (local == NULL)
    return FUT_ENOMEM;
  lua_State *L = local->L = allocator_open(&local->allocator, report);
  if (L == NULL) {
    allocator_fini(&local->allocator);
    fut_memory_free(local);
    return FUT_ENOMEM;
  }
  local->environment = (const state_environment *)object;
  local->report = report;
  local->phase = RECEIVING;
  local->failure = LUA_NOREF;
  local->task = NULL;
  local->call_number = local->calls = 0;
  local->depth = 0;
  local->runner = runner;
  local->ctx = NULL;
  local->stop = (stop){.report = report, .main = L, .running = L};
  wire_message_init(&local->outcome);
  warnings_open(&local->warnings, L);
  local->allocator.limit = local->environment->memory_limit;
  lua_pushcfunction(L, setup);
  lua_pushlightuserdata(L, local);
  fut_err err = lua_pcall(L, 1, 2, 0) == LUA_OK ? FUT_OK : FUT_ENOMEM;
  now_tidy(local);
  if (err == FUT_OK) {
    *opened = local; /* the signal handler sees it */
    atomic_signal_fence(memory_order_seq_cst);
    err = run_initializer(local, why);
  }
  if (err != FUT_OK) {
    *opened = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    state_close(local);
  }
  return err;
}

static void state_interrupt(fut_worker_local *local) {
  stop_arrived(&local->stop);
}

/* Run the callbacks that are due in this state. */
static void state_settle(fut_worker_local *local) {
  context *ctx = local->ctx;
  if (ctx == NULL)
    return;
  if (fut_completions_ready(&ctx->callbacks) > 0 || ctx->kept_count > 0 ||
      ctx->broken_off)
    callbacks_run_protected(local->L, ctx);
  if (ctx->own_handle) {
    fut_object_release(ctx->own_handle);
    ctx->own_handle = NULL;
  }
}

/* What tasks leave behind is collected while there are none: else the next one
   would have to do it. Not where a file of io.popen() may be among that, whose
   finalizer waits for the program. */
static void state_tidy(fut_worker_local *local) {
  fut_deadline start = fut_clock_now(), now = start;
  bool done = !lua_gc(local->L, LUA_GCISRUNNING);
  stop_begin(&local->stop, local->L);
  while (!done && now < start + TIDY_NS) {
    bool end = lua_gc(local->L, LUA_GCSTEP, 0);
    /* what had a finalizer goes with the next cycle */
    done = end && (held(local) <= local->untidy_from ||
                   held(local) > local->cycled - local->cycled / 16);
    if (end)
      local->cycled = held(local);
    now = fut_clock_now();
  }
  local->tidying += now - start;
  /* a generational collector does not say when it is done */
  int64_t limit = TIDY_LIMIT_NS + TIDY_KB_NS * (int64_t)(held(local) >> 10);
  if (done || local->tidying > limit)
    now_tidy(local);
}

const fut_worker_ops state_ops = {.open = state_open,
                                  .close = state_close,
                                  .tidy = state_tidy,
                                  .settle = state_settle,
                                  .interrupt = state_interrupt};

void state_adopt(lua_State *L, context *ctx) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &local_key);
  ctx->local = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (ctx->local == NULL)
    return;
  ctx->local->ctx = ctx;
  ctx->runner = ctx->local->runner;
}

void state_leave(context *ctx) {
  if (ctx->own_handle)
    fut_object_release(ctx->own_handle);
  ctx->own_handle = NULL;
  if (ctx->local)
    ctx->local->ctx = NULL;
  ctx->local = NULL;
  ctx->runner = NULL;
}

fut_task *state_task(const fut_worker_local *local) { return local->task; }

uint64_t state_call_number(const fut_worker_local *local) {
  return local->call_number;
}

unsigned state_depth(const fut_worker_local *local) { return local->depth; }

bool state_stop_asked(const fut_worker_local *local) {
  return stop_asked(&local->stop);
}

bool state_stop_due(const fut_worker_local *local) {
  return stop_due(&local->stop);
}

bool state_stopping(const fut_worker_local *local) {
  return local->stop.unwinding && !local->stop.exiting;
}

void state_stop(lua_State *L) { stop_now(L); }

/* --- a task ------------------------------------------------------------------
 */

/* Encode what the call has raised, which is on top of the stack. */
static bool encode_failure(fut_worker_local *local) {
  lua_State *L = local->L;
  failure_source source = {local->wire, &local->outcome,
                           local->environment->mode};
  lua_pushcfunction(L, failure_encode);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, &source);
  lua_pushboolean(L, local->phase == RUNNING);
  return lua_pcall(L, 3, 0, 0) == LUA_OK;
}

/* What the call holds as bytes counts while it runs. False if that is more than
   the state may hold. */
static bool make_room(fut_worker_local *local, size_t call) {
  size_t limit = local->environment->memory_limit;
  if (limit == FUT_UNLIMITED)
    return true;
  size_t used = held(local);
  if (used > limit || call > limit - used)
    return false;
  local->allocator.limit = limit - call;
  return true;
}

bool state_worn(const fut_worker_local *local) { return local->report->worn; }

wire_message *state_run(fut_worker_local *local, fut_task *task,
                        const job_content *call, const char *name,
                        fut_state *state) {
  return state_run_apart(local, task, call, NULL, name, state);
}

wire_message *state_run_apart(fut_worker_local *local, fut_task *task,
                              const job_content *function,
                              const job_content *arguments, const char *name,
                              fut_state *state) {
  lua_State *L = local->L;
  local->task = task;
  local->call = function;
  local->arguments = arguments;
  local->name = name;
  local->phase = RECEIVING;
  local->lease = (wire_lease){NULL};
  local->outcome.limit = 0;
  stop_begin(&local->stop, L);
  *state = FUT_FAILED;
  if (!make_room(local, function->size + (arguments ? arguments->size : 0))) {
    local->report->worn = true; /* another may have room */
    local->task = NULL;
    return NULL;
  }
  local->call_number = ++local->calls;
  lua_pushvalue(L, CALLER);
  int status = lua_pcall(L, 0, 0, HANDLER);
  local->task = NULL;
  local->call_number = 0;
  wire_lease_end(&local->lease);
  bool fine = true;
  if (status == LUA_OK)
    *state = FUT_FINISHED;
  else {
    if (status == LUA_ERRMEM)
      local->report->worn = true;
    fine = encode_failure(local);
    lua_settop(L, CALLER);
    if (!fine)
      lua_gc(L, LUA_GCCOLLECT);
  }
  if (local->stop.doubt)
    local->report->worn = true;
  if (held(local) > local->untidy_from && !local->allocator.waits)
    local->report->untidy = true;
  if (state_stopping(local)) {
    if (local->phase != RUNNING) /* in the midst of a module, say */
      local->report->worn = true;
    *state = FUT_CANCELLED;
    wire_message_clear(&local->outcome);
    return NULL;
  }
  return fine ? &local->outcome : NULL;
}

/* --- tasks inside of others ------------------------------------------------
 */

struct nesting {
  fut_worker_local *local;
  fut_task *task;
  bool done;
};

/* Arguments: the two values at the bottom of a state's stack, which are at the
   bottom here too. Nothing raises. */
static int nest(lua_State *L) {
  struct nesting *nesting = lua_touserdata(L, lua_upvalueindex(1));
  fut_worker_local *local = nesting->local;
  fut_task *task = nesting->task;
  fut_worker_local outer = *local;
  size_t limit = local->allocator.limit;
  fut_object_hold(&task->future.object);
  local->L = L;
  wire_message_init(&local->outcome);
  local->depth++;
  nesting->done = fut_runner_run(local->runner, task);
  wire_message_fini(&local->outcome);
  local->L = outer.L;
  local->outcome = outer.outcome;
  local->call = outer.call;
  local->arguments = outer.arguments;
  local->name = outer.name;
  local->lease = outer.lease;
  local->phase = outer.phase;
  local->task = outer.task;
  local->call_number = outer.call_number;
  local->depth = outer.depth;
  local->allocator.limit = limit;
  stop_resume(&local->stop, &outer.stop);
  fut_future_release(&task->future, NULL);
  return 0;
}

bool state_nest(lua_State *L, fut_worker_local *local, fut_task *task) {
  struct nesting nesting = {local, task, false};
  luaL_checkstack(L, 8, "tasks inside of tasks");
  lua_pushlightuserdata(L, &nesting);
  lua_pushcclosure(L, nest, 1);
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, handle, 1);
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, call, 1);
  lua_call(L, 2, 0);
  return nesting.done;
}
