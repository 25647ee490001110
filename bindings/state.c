/* state.c - a worker's lua_State: made, used and closed on that worker

   Its stack holds two values for good: the message handler and the function
   that makes a call, which run under lua_pcall for each task.

   The outcome of a call that failed is class, error, traceback: class is -1
   and the error a value of any kind, or class is that of an error of ours and
   the error its message. One value alone is an error without traceback. */
#include "state.h"

#include "callbacks.h"
#include "fail.h"
#include "memory.h"
#include "traceback.h"
#include "travel.h"

#include <lualib.h>
#include <string.h>

struct environment {
  fut_object object;
  const char *path, *cpath; /* set once; lie in text */
  enum wire_mode mode;      /* set once */
  char text[];
};

enum phase { RECEIVING, RUNNING, SENDING };

struct fut_worker_local {
  lua_State *L;
  wire_state *wire;
  enum wire_mode mode; /* of calls and outcomes */
  wire_message outcome;
  const job_content *call; /* of the task that runs */
  wire_lease lease;        /* of its function */
  enum phase phase;
  fut_task *task;     /* that runs; NULL: none */
  unsigned depth;     /* of tasks that it runs inside of */
  fut_worker *worker; /* set by attach */
  context *ctx;       /* once the state has opened the module; or NULL */
};

static const char local_key; /* its address: the local in the registry */

enum { HANDLER = 1, CALLER = 2 }; /* the values at the bottom of the stack */

static void environment_free(fut_object *object) { fut_memory_free(object); }

static const fut_object_kind environment_kind = {"environment",
                                                 environment_free};

fut_object *state_environment_new(const char *path, const char *cpath,
                                  enum wire_mode mode) {
  size_t path_size = strlen(path) + 1, cpath_size = strlen(cpath) + 1;
  struct environment *environment =
      fut_memory_new(sizeof *environment + path_size + cpath_size);
  if (environment == NULL)
    return NULL;
  fut_object_init(&environment->object, &environment_kind);
  environment->mode = mode;
  environment->path = memcpy(environment->text, path, path_size);
  environment->cpath = memcpy(environment->text + path_size, cpath, cpath_size);
  return &environment->object;
}

/* What cannot be sent is raised as a table, so that it is told from errors of
   memory, which are strings. */
static void refuse(lua_State *L, const char *message) {
  lua_createtable(L, 1, 0);
  lua_pushstring(L, message);
  lua_rawseti(L, -2, 1);
  lua_error(L);
}

static const wire_hooks hooks = {
    .refuse = refuse, .object = travel_object, .push_object = travel_push};

static int call(lua_State *L);

/* Add the traceback to an error of the task: it becomes a table of both. */
static int handle(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, lua_upvalueindex(1));
  if (local->phase != RUNNING)
    return 1;
  if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "<no error object>");
    lua_replace(L, 1);
  }
  const char *message = lua_type(L, 1) == LUA_TSTRING
                            ? lua_tostring(L, 1)
                            : lua_pushfstring(L, "(error object is a %s value)",
                                              luaL_typename(L, 1));
  if (local->depth > 0)
    traceback_push(L, message, call);
  else
    luaL_traceback(L, L, message, 1);
  /* leave out the last line, which is our caller */
  const char *text = lua_tostring(L, -1);
  const char *last = local->depth > 0 ? NULL : strrchr(text, '\n');
  if (last && strncmp(last, "\n\t[C]: ", 7) == 0)
    lua_pushlstring(L, text, (size_t)(last - text));
  int traceback = lua_gettop(L);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, traceback);
  lua_rawseti(L, -2, 2);
  return 1;
}

static int call(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, lua_upvalueindex(1));
  const job_content *content = local->call;
  int count = wire_decode_task(L, local->wire, local->mode, content->bytes,
                               content->size, content->objects,
                               content->object_count, &local->lease);
  local->phase = RUNNING;
  lua_call(L, count - 1, LUA_MULTRET);
  local->phase = SENDING;
  wire_encode(L, local->wire, 1, lua_gettop(L), local->mode, "result",
              &local->outcome);
  return 0;
}

static int setup(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, 1);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &local_key);
  const struct environment *environment = lua_touserdata(L, 2);
  local->mode = environment->mode;
  luaL_openlibs(L);
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_pushstring(L, environment->path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, environment->cpath);
  lua_setfield(L, -2, "cpath");
  local->wire = wire_state_push(L);
  wire_state_set_hooks(local->wire, &hooks);
  luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, handle, 1);
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, call, 1);
  return 2;
}

static fut_err state_open(fut_object *object, fut_worker_local **opened) {
  fut_worker_local *local = fut_memory_new(sizeof *local);
  if (local == NULL)
    return FUT_ENOMEM;
  wire_message_init(&local->outcome);
  local->phase = RECEIVING;
  local->task = NULL;
  local->depth = 0;
  local->worker = NULL;
  local->ctx = NULL;
  local->L = luaL_newstate();
  if (local->L) {
    lua_pushcfunction(local->L, setup);
    lua_pushlightuserdata(local->L, local);
    lua_pushlightuserdata(local->L, object);
    if (lua_pcall(local->L, 2, 2, 0) == LUA_OK) {
      *opened = local;
      return FUT_OK;
    }
    lua_close(local->L);
  }
  fut_memory_free(local);
  return FUT_ENOMEM;
}

static void state_close(fut_worker_local *local) {
  lua_close(local->L);
  wire_message_fini(&local->outcome);
  fut_memory_free(local);
}

static void state_attach(fut_worker_local *local, fut_worker *worker) {
  local->worker = worker;
  if (local->ctx)
    local->ctx->worker = worker;
}

const fut_worker_ops state_ops = {
    .open = state_open, .close = state_close, .attach = state_attach};

void state_adopt(lua_State *L, context *ctx) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &local_key);
  ctx->local = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (ctx->local == NULL)
    return;
  ctx->local->ctx = ctx;
  ctx->worker = ctx->local->worker;
}

void state_leave(context *ctx) {
  if (ctx->own_handle)
    fut_object_release(ctx->own_handle);
  ctx->own_handle = NULL;
  if (ctx->local)
    ctx->local->ctx = NULL;
  ctx->local = NULL;
  ctx->worker = NULL;
}

fut_task *state_task(const fut_worker_local *local) { return local->task; }

unsigned state_depth(const fut_worker_local *local) { return local->depth; }

/* Arguments: class, error, traceback. Encode them; protected. */
static int send_error(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, lua_upvalueindex(1));
  wire_encode(L, local->wire, 1, 3, local->mode, "error", &local->outcome);
  return 0;
}

/* Arguments: error, traceback. Return class, error, traceback: an instance of
   our classes becomes its class and message. */
static int classify(lua_State *L) {
  context *ctx = context_find(L);
  int class = ctx ? fail_class_of(L, ctx, 1) : -1;
  lua_pushinteger(L, class);
  if (class < 0)
    lua_pushvalue(L, 1);
  else {
    lua_pushliteral(L, "message");
    lua_rawget(L, 1);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
  }
  lua_pushvalue(L, 2);
  return 3;
}

/* Arguments: error, traceback, why it cannot be sent. Return what is sent in
   its place. */
static int describe(lua_State *L) {
  const char *text = luaL_tolstring(L, 1, NULL);
  lua_pushinteger(L, FAIL_SERIALIZATION);
  lua_pushfstring(L, "%s: %s", lua_tostring(L, 3), text);
  lua_pushvalue(L, 2);
  return 3;
}

/* Send the three values on top of the stack; false with the reason. */
static bool sent(lua_State *L, fut_worker_local *local) {
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, send_error, 1);
  lua_insert(L, -4);
  return lua_pcall(L, 3, 0, 0) == LUA_OK;
}

/* The call raised what is on top of the stack: encode that. Protected. */
static int encode_failure(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, 2);
  if (local->phase != RUNNING || !lua_istable(L, 1)) {
    /* not the task's error: what could not be sent, or no memory */
    bool refused = lua_istable(L, 1);
    lua_pushinteger(L, refused ? FAIL_SERIALIZATION : -1);
    if (!refused)
      lua_pushvalue(L, 1);
    else if (lua_rawgeti(L, 1, 1) != LUA_TSTRING) /* raised by a __reduce, or
                                                     for a future's outcome */
      luaL_tolstring(L, 1, NULL);
    lua_pushnil(L);
    if (!sent(L, local))
      lua_error(L);
    return 0;
  }
  lua_pushcfunction(L, classify);
  lua_rawgeti(L, 1, 1);
  lua_rawgeti(L, 1, 2);
  lua_call(L, 2, 3);
  if (sent(L, local))
    return 0;
  if (!lua_istable(L, -1)) /* no memory */
    lua_error(L);
  int reason = lua_gettop(L);
  lua_rawgeti(L, reason, 1); /* it was the second value that we sent */
  luaL_gsub(L, lua_tostring(L, -1), "cannot send error 2", "cannot send error");
  lua_rawseti(L, reason, 1);
  lua_pushcfunction(L, describe);
  lua_rawgeti(L, 1, 1);
  lua_rawgeti(L, 1, 2);
  lua_rawgeti(L, reason, 1);
  if (lua_pcall(L, 3, 3, 0) != LUA_OK) { /* its __tostring raised */
    lua_pop(L, 1);
    lua_pushinteger(L, FAIL_SERIALIZATION);
    lua_rawgeti(L, reason, 1);
    lua_rawgeti(L, 1, 2);
  }
  if (!sent(L, local))
    lua_error(L);
  return 0;
}

wire_message *state_run(fut_worker_local *local, fut_task *task,
                        const job_content *content, fut_state *state) {
  lua_State *L = local->L;
  fut_task *outer = local->task;
  local->task = task;
  local->call = content;
  local->phase = RECEIVING;
  local->lease = (wire_lease){NULL};
  lua_pushvalue(L, CALLER);
  int status = lua_pcall(L, 0, 0, HANDLER);
  local->task = outer;
  wire_lease_end(&local->lease);
  if (status == LUA_OK) {
    *state = FUT_FINISHED;
    return &local->outcome;
  }
  *state = FUT_FAILED;
  lua_pushcfunction(L, encode_failure);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, local);
  bool fine = lua_pcall(L, 2, 0, 0) == LUA_OK;
  lua_settop(L, CALLER);
  if (!fine)
    lua_gc(L, LUA_GCCOLLECT);
  return fine ? &local->outcome : NULL;
}

size_t state_memory(fut_worker_local *local) {
  return (size_t)lua_gc(local->L, LUA_GCCOUNT) * 1024 +
         (size_t)lua_gc(local->L, LUA_GCCOUNTB);
}

void state_settle(fut_worker_local *local) {
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

/* --- tasks inside of others ----------------------------------------------- */

struct nesting {
  fut_worker_local *local;
  fut_task *task;
  bool started;
};

/* Arguments: the two values at the bottom of a state's stack, which are at the
   bottom here too. From here to the end nothing raises. */
static int nest(lua_State *L) {
  struct nesting *nesting = lua_touserdata(L, lua_upvalueindex(1));
  fut_worker_local *local = nesting->local;
  fut_task *task = nesting->task;
  if (!fut_future_start(&task->future))
    return 0;
  nesting->started = true;
  fut_task_left(task);
  fut_object_hold(&task->future.object);
  lua_State *thread = local->L;
  wire_message outcome = local->outcome;
  const job_content *call_ = local->call;
  wire_lease lease = local->lease;
  enum phase phase = local->phase;
  local->L = L;
  wire_message_init(&local->outcome);
  local->depth++;
  fut_worker_run(local->worker, task);
  local->depth--;
  wire_message_fini(&local->outcome);
  local->L = thread;
  local->outcome = outcome;
  local->call = call_;
  local->lease = lease;
  local->phase = phase;
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
  return nesting.started;
}

void state_outcome_push(lua_State *L, context *ctx, int first) {
  if (lua_gettop(L) == first) { /* the error alone */
    lua_pushvalue(L, first);
    lua_pushnil(L);
    return;
  }
  lua_Integer class = lua_tointeger(L, first);
  lua_pushvalue(L, first + 1);
  if (class >= 0 && class < FAIL_CLASS_COUNT) {
    fail_push(L, ctx, (enum fail_class) class);
    lua_pushvalue(L, first + 2);
    lua_setfield(L, -2, "traceback");
  }
  lua_pushvalue(L, first + 2);
}
