/* context.c - what the module keeps for one lua_State

   How a state ends. lua_close() calls all finalizers, the newest object's
   first; by then the futures that callbacks want may be finalized already. So
   (1) each callback that waits for its future has a hook, an object newer than
   all that the callback can have captured, and a hook that is finalized while
   its callback still waits knows that the state is closing: it calls
   context_finish(); (2) a future that is finalized when no function runs, as
   in lua_close(), keeps what it has, in `kept`; (3) the context itself, the
   oldest object, calls context_finish() if nobody did, and frees the rest.
   What callbacks make by then Lua never finalizes: it is in `kept` too. */
#include "context.h"

#include "callbacks.h"
#include "fail.h"
#include "interrupt.h"
#include "job.h"
#include "lfuture.h"
#include "memory.h"
#include "state.h"
#include "travel.h"

static const char context_key; /* its address: the context in the registry */

/* Finalize what is kept, first what watches futures, then these. */
static void finalize_kept(lua_State *L, context *ctx) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->kept);
  for (int futures = 0; futures < 2; futures++)
    for (lua_Integer i = ctx->kept_count; i > 0; i--) {
      lua_rawgeti(L, -1, i);
      if ((future_test(L, -1) != NULL) == futures) {
        luaL_getmetafield(L, -1, "__gc");
        lua_pushvalue(L, -2);
        lua_call(L, 1, 0);
      }
      lua_pop(L, 1);
    }
  ctx->kept_count = 0;
  lua_pop(L, 1);
}

/* Free what the context holds; what could not be made is still NULL. */
static void dissolve(lua_State *L, context *ctx) {
  if (ctx->arena == NULL)
    return;
  fut_arena *arena = ctx->arena;
  while (ctx->pools) {
    context_pool *pool = ctx->pools;
    ctx->pools = pool->next;
    fut_object_release(&pool->executor->object);
    fut_memory_free(pool);
  }
  callbacks_drop(L, ctx);
  finalize_kept(L, ctx);
  state_leave(ctx);
  wire_message_fini(&ctx->scratch);
  fut_completions_fini(&ctx->callbacks);
  fut_notifier_free(ctx->notifier);
  fut_waiter_release(ctx->waiter);
  ctx->arena = NULL;
  fut_arena_close(arena);
}

static int context_gc(lua_State *L) {
  context *ctx = lua_touserdata(L, 1);
  context_finish(L, ctx);
  dissolve(L, ctx);
  return 0;
}

/* Raise a refusal of the encoding at the line of the caller. */
static void refuse(lua_State *L, const char *message) {
  fail_raise(L, context_find(L), FAIL_SERIALIZATION, "%s", message);
}

static const wire_hooks hooks = {
    .refuse = refuse, .object = travel_object, .push_object = travel_push};

static int new_table(lua_State *L, const char *mode) {
  lua_newtable(L);
  if (mode) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

context *context_push(lua_State *L) {
  context *ctx = lua_newuserdatauv(L, sizeof *ctx, 0);
  *ctx = (context){.hook_mask = 0};
  wire_message_init(&ctx->scratch);
  fut_spin_init(&ctx->spin);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  ctx->main = lua_tothread(L, -1);
  lua_pop(L, 1);
  ctx->strong = new_table(L, NULL);
  ctx->weak = new_table(L, "v");
  ctx->late = new_table(L, NULL);
  ctx->kept = new_table(L, NULL);
  ctx->travelled = new_table(L, "v");
  ctx->classes = ctx->module = LUA_NOREF;
  ctx->future = ctx->fields = LUA_NOREF;
  ctx->executor = ctx->process_executor = LUA_NOREF;
  ctx->serial_executor = ctx->results = LUA_NOREF;
  ctx->handler = ctx->hook_meta = LUA_NOREF;
  ctx->wire = wire_state_push(L);
  wire_state_set_hooks(ctx->wire, &hooks);
  luaL_ref(L, LUA_REGISTRYINDEX);
  ctx->late_first = 1;
  lua_pushboolean(L, false);
  ctx->current = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushboolean(L, false);
  ctx->interrupt = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, context_gc);
  lua_setfield(L, -2, "__gc");
  fut_waiter *waiter = fut_waiter_new();
  fut_arena *arena = waiter ? fut_arena_new(JOB_SIZE) : NULL;
  if (arena == NULL) {
    if (waiter)
      fut_waiter_release(waiter);
    luaL_error(L, "not enough memory");
  }
  ctx->waiter = waiter;
  ctx->arena = arena;
  fut_completions_init(&ctx->callbacks, waiter);
  lua_setmetatable(L, -2); /* from here on, __gc ends it */
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &context_key);
  callbacks_open(L, ctx);
  interrupt_init(ctx);
  state_adopt(L, ctx);
  return ctx;
}

context *context_get(lua_State *L) {
  context *ctx = lua_touserdata(L, lua_upvalueindex(1));
  if (ctx->arena == NULL)
    luaL_error(L, "the Lua state is closing");
  return ctx;
}

context *context_find(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &context_key);
  context *ctx = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return ctx && ctx->arena ? ctx : NULL;
}

static int message_gc(lua_State *L) {
  wire_message_fini(lua_touserdata(L, 1));
  return 0;
}

wire_message *context_message(lua_State *L, context *ctx) {
  if (!ctx->scratch.busy) {
    ctx->scratch.shelf = NULL;
    return &ctx->scratch;
  }
  wire_message *message = lua_newuserdatauv(L, sizeof *message, 0);
  wire_message_init(message);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, message_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return message;
}

fut_wait context_wait(context *ctx, fut_deadline deadline) {
  return (fut_wait){.waiter = ctx->waiter,
                    .spin = &ctx->spin,
                    .callbacks = ctx->in_callback ? NULL : &ctx->callbacks,
                    .attention = interrupt_pending,
                    .context = ctx,
                    .runner = ctx->runner,
                    .deadline = deadline};
}

bool context_add_pool(context *ctx, fut_executor *executor) {
  context_prune_pools(ctx);
  context_pool *pool = fut_memory_new(sizeof *pool);
  if (pool == NULL)
    return false;
  fut_object_hold(&executor->object);
  *pool = (context_pool){.next = ctx->pools, .executor = executor};
  ctx->pools = pool;
  return true;
}

static bool ended(const context_pool *pool) {
  fut_future *terminated = fut_executor_terminated(pool->executor);
  return fut_executor_forked(pool->executor) ||
         fut_state_done(fut_future_state(terminated));
}

void context_prune_pools(context *ctx) {
  context_pool **at = &ctx->pools;
  while (*at) {
    context_pool *pool = *at;
    if (!ended(pool)) {
      at = &pool->next;
      continue;
    }
    *at = pool->next;
    if (!fut_executor_forked(pool->executor))
      fut_executor_join(pool->executor);
    fut_object_release(&pool->executor->object);
    fut_memory_free(pool);
  }
}

void context_abandon_pool(context *ctx, const fut_executor *executor) {
  for (context_pool *pool = ctx->pools; pool; pool = pool->next)
    if (pool->executor == executor)
      pool->abandoned = true;
}

/* Wait for the end of a pool; callbacks run meanwhile, protected. False if
   it was interrupted. */
static bool finish_pool(lua_State *L, context *ctx, context_pool *pool) {
  for (;;) {
    fut_wait wait = context_wait(ctx, FUT_NEVER);
    switch (fut_wait_future(&wait, fut_executor_terminated(pool->executor))) {
    case FUT_EAGAIN:
      if (!callbacks_run_protected(L, ctx))
        return false;
      break;
    case FUT_EINTR:
      return false;
    default:
      return true;
    }
  }
}

void context_keep_new(lua_State *L, context *ctx) {
  if (!ctx->finishing)
    return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->kept);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, ++ctx->kept_count);
  lua_pop(L, 1);
}

void context_finish(lua_State *L, context *ctx) {
  if (ctx->finishing || ctx->arena == NULL)
    return;
  ctx->finishing = true;
  ctx->in_callback = false; /* a callback may have called os.exit(c, true) */
  for (context_pool *pool = ctx->pools; pool; pool = pool->next)
    fut_executor_shutdown(pool->executor, pool->abandoned);
  for (context_pool *pool = ctx->pools; pool; pool = pool->next)
    if (!pool->abandoned && !ended(pool) && !finish_pool(L, ctx, pool))
      break;
  context_prune_pools(ctx);
  callbacks_run_protected(L, ctx);
}
