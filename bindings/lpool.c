/* lpool.c - new executors, as Lua makes them */
#include "lpool.h"

#include "fail.h"
#include "lexecutor.h"
#include "process_pool.h"
#include "serial.h"
#include "state.h"
#include "state_environment.h"
#include "thread_pool.h"
#include "travel.h"
#include "worker.h"

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
  executor_box *box = executor_box_push(L, metatable);
  options.environment =
      new_environment(L, ctx, WIRE_THREAD, options.memory_limit);
  fut_err err = make(&options, &state_ops, &box->executor);
  fut_object_release(options.environment);
  return opened(L, ctx, box, err);
}

int l_executor_thread_pool(lua_State *L) {
  context *ctx = context_get(L);
  return make_local(L, ctx, ctx->executor, fut_thread_pool_new);
}

int l_executor_serial(lua_State *L) {
  context *ctx = context_get(L);
  return make_local(L, ctx, ctx->serial_executor, fut_serial_new);
}

int l_executor_process_pool(lua_State *L) {
  context *ctx = context_get(L);
  fut_process_pool_options options = {.pool = pool_options(L)};
  const char *path = luaL_checkstring(L, 2);
  const char *cpath = luaL_checkstring(L, 3);
  options.program = luaL_checkstring(L, 4);
  lua_getfield(L, 1, "respawn");
  options.respawn = lua_toboolean(L, -1);
  if (ctx->finishing)
    fail_raise_err(L, ctx, FUT_ESHUTDOWN);
  executor_box *box = executor_box_push(L, ctx->process_executor);
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
