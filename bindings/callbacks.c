/* callbacks.c - functions that run when a future has ended, at safe points

   A future with callbacks is watched through the queue of its context. The
   table `strong` (or `weak`) leads from the watch to the future. When it has
   ended it becomes the `current` one and its callbacks are called in order;
   box->called tells how far that has come, so that an interrupt in between
   loses none. A callback added to a future that has ended, while another
   callback runs, waits in `late`. Nothing here allocates once a callback was
   added. */
#include "callbacks.h"

#include "fail.h"
#include "interrupt.h"
#include "job.h"
#include "memory.h"

/* Finalized while armed: the state is closing (see context.c). */
struct hook {
  context *ctx;
  bool armed;
};

static int hook_gc(lua_State *L) {
  struct hook *hook = lua_touserdata(L, 1);
  if (hook->armed)
    context_finish(L, hook->ctx);
  return 0;
}

/* What a callback raised, and whether it was an interrupt. */
static int handle(lua_State *L) {
  context *ctx = lua_touserdata(L, lua_upvalueindex(1));
  ctx->interrupted = interrupt_raised(L, ctx);
  return 1;
}

void callbacks_open(lua_State *L, context *ctx) {
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, handle, 1);
  ctx->handler = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, hook_gc);
  lua_setfield(L, -2, "__gc");
  ctx->hook_meta = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Put a new hook into the table of extras at index, in place of the last. */
static void arm(lua_State *L, context *ctx, int extra) {
  struct hook *fresh = lua_newuserdatauv(L, sizeof *fresh, 0);
  fresh->ctx = ctx;
  fresh->armed = false;
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->hook_meta);
  lua_setmetatable(L, -2);
  lua_rawgeti(L, extra, EXTRA_HOOK);
  struct hook *last = lua_touserdata(L, -1);
  lua_pop(L, 1);
  lua_rawseti(L, extra, EXTRA_HOOK);
  if (last)
    last->armed = false;
  fresh->armed = true;
}

static void disarm(lua_State *L, int extra) {
  lua_rawgeti(L, extra, EXTRA_HOOK);
  struct hook *hook = lua_touserdata(L, -1);
  if (hook)
    hook->armed = false;
  lua_pop(L, 1);
}

/* Watch the future at index 1. */
static void watch(lua_State *L, context *ctx, future_box *box, bool own) {
  if (box->watch == NULL) {
    box->watch = fut_memory_new(sizeof *box->watch);
    if (box->watch == NULL)
      fail_no_memory(L);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, own ? ctx->weak : ctx->strong);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, -2, box->watch);
  lua_pop(L, 1);
  box->watching = true;
  fut_completions_add(&ctx->callbacks, box->watch, box->future);
}

/* Call fn(future), the two values on top of the stack, which are popped. */
static void call(lua_State *L, context *ctx) {
  int base = lua_gettop(L) - 2;
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->handler);
  lua_insert(L, base + 1); /* handler, fn, future */
  lua_pushvalue(L, -1);
  lua_insert(L, base + 1); /* future, handler, fn, future */
  ctx->in_callback = true;
  ctx->interrupted = false;
  int status = lua_pcall(L, 1, 0, base + 2);
  if (status != LUA_OK && !ctx->interrupted) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->module);
    lua_getfield(L, -1, "on_callback_error");
    lua_replace(L, -2);         /* future, handler, error, report */
    lua_insert(L, -2);          /* report below error */
    lua_pushvalue(L, base + 1); /* future */
    status = lua_pcall(L, 2, 0, base + 2);
    if (status != LUA_OK && !ctx->interrupted) {
      const char *message = lua_tostring(L, -1);
      lua_warning(L, "error in futures.on_callback_error (", 1);
      lua_warning(L, message ? message : "error object is not a string", 1);
      lua_warning(L, ")", 0);
    }
  }
  ctx->in_callback = false;
  if (status != LUA_OK && ctx->interrupted) {
    ctx->interrupted = false;
    ctx->broken_off = true;
    if (ctx->notifier) /* poll has to go on */
      fut_completions_notify(&ctx->callbacks, ctx->notifier, true);
    lua_error(L);
  }
  lua_settop(L, base);
}

/* Push the next callback and its future; false if none is due. */
static bool next(lua_State *L, context *ctx) {
  if (ctx->late_first <= ctx->late_last) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->late);
    for (int i = 0; i < 2; i++) {
      lua_rawgeti(L, -1 - i, ctx->late_first);
      lua_pushnil(L);
      lua_rawseti(L, -3 - i, ctx->late_first++);
    }
    lua_remove(L, -3); /* late */
    return true;
  }
  for (;;) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->current);
    future_box *box = lua_touserdata(L, -1);
    if (box) {
      lua_getiuservalue(L, -1, 1);
      lua_rawgeti(L, -1, EXTRA_CALLBACKS);
      if (lua_rawgeti(L, -1, ++box->called) != LUA_TNIL) {
        lua_insert(L, -4); /* fn, future, extra, callbacks */
        lua_pop(L, 2);
        return true;
      }
      lua_pushnil(L);
      lua_rawseti(L, -4, EXTRA_CALLBACKS); /* all were called */
      lua_pop(L, 3);
    }
    lua_pop(L, 1);
    lua_pushboolean(L, false);
    lua_rawseti(L, LUA_REGISTRYINDEX, ctx->current);
    fut_completion *completion = fut_completions_take(&ctx->callbacks);
    if (completion == NULL)
      return false;
    lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->strong);
    if (lua_rawgetp(L, -1, completion) == LUA_TNIL) {
      lua_pop(L, 2);
      lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->weak);
      lua_rawgetp(L, -1, completion);
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, LUA_REGISTRYINDEX, ctx->current);
    lua_pushnil(L);
    lua_rawsetp(L, -3, completion);
    lua_getiuservalue(L, -1, 1);
    disarm(L, lua_gettop(L));
    box = lua_touserdata(L, -2);
    box->called = 0;
    box->watch = NULL;
    box->watching = false;
    fut_memory_free(completion);
    lua_pop(L, 3);
  }
}

int callbacks_run(lua_State *L, context *ctx) {
  if (ctx->in_callback)
    return 0;
  if (ctx->kept_count > 0 && !ctx->finishing) { /* it was not closing */
    lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->kept);
    for (; ctx->kept_count > 0; ctx->kept_count--) {
      lua_pushnil(L);
      lua_rawseti(L, -2, ctx->kept_count);
    }
    lua_pop(L, 1);
  }
  int count = 0;
  ctx->broken_off = false;
  luaL_checkstack(L, 12, "callbacks");
  while (next(L, ctx)) {
    call(L, ctx);
    count++;
  }
  if (count > 0) /* they may have set a hook, which is no interrupt */
    interrupt_check(L, ctx);
  return count;
}

static int run(lua_State *L) {
  callbacks_run(L, lua_touserdata(L, 1));
  return 0;
}

bool callbacks_run_protected(lua_State *L, context *ctx) {
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, ctx);
  bool fine = lua_pcall(L, 1, 0, 0) == LUA_OK;
  if (!fine)
    lua_pop(L, 1);
  return fine;
}

void callbacks_add(lua_State *L, context *ctx, future_box *box, int fn) {
  if (fut_state_done(fut_future_state(box->future)))
    future_settle(L, ctx, box->future); /* earlier ones first */
  if (!fut_state_done(fut_future_state(box->future)) || box->watch) {
    /* not ended, or ended and not told yet */
    future_extra(L, 1);
    int extra = lua_gettop(L);
    if (lua_rawgeti(L, extra, EXTRA_CALLBACKS) == LUA_TNIL) {
      lua_createtable(L, 1, 0);
      lua_pushvalue(L, -1);
      lua_rawseti(L, extra, EXTRA_CALLBACKS);
    }
    bool own = !future_is_job(box->future);
    if (!own)
      arm(L, ctx, extra);
    lua_pushvalue(L, fn);
    lua_rawseti(L, -2, luaL_len(L, -2) + 1);
    if (!box->watching)
      watch(L, ctx, box, own);
    if (fut_state_done(fut_future_state(box->future)))
      future_settle(L, ctx, box->future);
    return;
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->late);
  lua_pushvalue(L, fn);
  lua_rawseti(L, -2, ctx->late_last + 1);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, ctx->late_last + 2);
  ctx->late_last += 2;
  callbacks_run(L, ctx);
}

void callbacks_expect(lua_State *L, context *ctx, const future_box *box) {
  if (!box->watching)
    return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->strong);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, -2, box->watch);
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->weak);
  lua_pushnil(L);
  lua_rawsetp(L, -2, box->watch);
  lua_pop(L, 2);
}

void callbacks_forget(lua_State *L, context *ctx, future_box *box) {
  if (box->watch == NULL)
    return;
  if (box->watching) {
    fut_completions_remove(box->watch);
    int tables[] = {ctx->strong, ctx->weak};
    for (int i = 0; i < 2; i++) {
      lua_rawgeti(L, LUA_REGISTRYINDEX, tables[i]);
      lua_pushnil(L);
      lua_rawsetp(L, -2, box->watch);
      lua_pop(L, 1);
    }
  }
  fut_memory_free(box->watch);
  box->watch = NULL;
  box->watching = false;
}

void callbacks_drop(lua_State *L, context *ctx) {
  int tables[] = {ctx->strong, ctx->weak};
  for (int i = 0; i < 2; i++) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, tables[i]);
    lua_pushnil(L);
    while (lua_next(L, -2)) { /* table, watch, future */
      future_box *box = lua_touserdata(L, -1);
      fut_completions_remove(box->watch);
      fut_memory_free(box->watch);
      box->watch = NULL;
      box->watching = false;
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
}
