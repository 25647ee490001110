/* interrupt.c - Ctrl-C of the standard interpreter ends waits, and so does who
   stops the task that waits */
#include "interrupt.h"

#include "state.h"

#include <stdbool.h>
#include <string.h>

#define ALL_EVENTS (LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT)

/* The hook of the main thread. The signal handler may replace it at any moment,
   so it is read once, the function first: what is mixed of two hooks then has
   the function of the old one, and the new one is seen the next time. */
struct seen {
  lua_Hook hook;
  int mask, count;
};

static struct seen look(const context *ctx) {
  struct seen seen;
  seen.hook = lua_gethook(ctx->main);
  seen.mask = lua_gethookmask(ctx->main);
  seen.count = lua_gethookcount(ctx->main);
  return seen;
}

static void remember(context *ctx, struct seen seen) {
  ctx->hook = seen.hook;
  ctx->hook_mask = seen.mask;
  ctx->hook_count = seen.count;
}

static bool differs(const context *ctx, struct seen seen) {
  return seen.hook != NULL &&
         (seen.hook != ctx->hook || seen.mask != ctx->hook_mask ||
          seen.count != ctx->hook_count);
}

void interrupt_init(context *ctx) { remember(ctx, look(ctx)); }

bool interrupt_pending(void *context_) {
  context *ctx = context_;
  return differs(ctx, look(ctx)) || (ctx->local && state_stop_due(ctx->local));
}

/* Whether it is what the interpreter sets, and nobody else: all events, each
   instruction. */
static bool is_interrupt(struct seen seen) {
  return seen.mask == ALL_EVENTS && seen.count == 1;
}

bool interrupt_wanted(void *context_) {
  context *ctx = context_;
  struct seen seen = look(ctx);
  return (differs(ctx, seen) && is_interrupt(seen)) ||
         (ctx->local && state_stop_due(ctx->local));
}

void interrupt_check(lua_State *L, context *ctx) {
  if (ctx->local && state_stop_due(ctx->local))
    interrupt_deliver(L, ctx);
  struct seen seen = look(ctx);
  /* on the main thread it would have fired before we were called */
  if (differs(ctx, seen) && is_interrupt(seen))
    interrupt_deliver(L, ctx);
  else
    remember(ctx, seen);
}

/* Call the hook that the argument points to, on behalf of our caller. */
static int call_hook(lua_State *L) {
  const lua_Hook *hook = lua_touserdata(L, 1);
  lua_Debug ar;
  memset(&ar, 0, sizeof ar);
  if (lua_getstack(L, 1, &ar)) {
    ar.event = LUA_HOOKCOUNT;
    ar.currentline = -1;
    (*hook)(L, &ar);
  }
  return 0;
}

/* Raise what the hook has raised, with the line of the Lua code that called
   us; the hook has seen a C function there. */
static void pass_on(lua_State *L, context *ctx) {
  if (lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, LUA_REGISTRYINDEX, ctx->interrupt);
  lua_error(L);
}

static int call_stop(lua_State *L) { state_stop(L); }

void interrupt_deliver(lua_State *L, context *ctx) {
  if (ctx->local && state_stop_due(ctx->local)) {
    lua_pushcfunction(L, call_stop);
    lua_pcall(L, 0, 0, 0);
    pass_on(L, ctx);
  }
  struct seen seen = look(ctx);
  if (seen.hook == NULL)
    return;
  if (L != ctx->main) /* the hook clears only that of the thread it is for */
    lua_sethook(ctx->main, ctx->hook, ctx->hook_mask, ctx->hook_count);
  lua_pushcfunction(L, call_hook);
  lua_pushlightuserdata(L, &seen.hook);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    pass_on(L, ctx);
  /* it did not raise: a hook of another kind, which stays */
  if (L != ctx->main)
    lua_sethook(ctx->main, seen.hook, seen.mask, seen.count);
  remember(ctx, seen);
}

/* Whether the value at index is what interrupt_deliver() raised last. */
static bool delivered(lua_State *L, const context *ctx, int index) {
  bool same =
      lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->interrupt) != LUA_TBOOLEAN &&
      lua_rawequal(L, -1, index);
  lua_pop(L, 1);
  return same;
}

bool interrupt_is(lua_State *L, const context *ctx, int index) {
  static const char words[] = "interrupted!"; /* of the interpreter */
  if (delivered(L, ctx, index))
    return true;
  if (lua_type(L, index) != LUA_TSTRING)
    return false;
  const char *found = strstr(lua_tostring(L, index), words);
  const char *rest = found ? found + sizeof words - 1 : "no";
  return *rest == '\0' || *rest == '\n'; /* a traceback may follow */
}

bool interrupt_raised(lua_State *L, const context *ctx) {
  lua_Debug ar;
  return interrupt_is(L, ctx, 1) ||
         /* Lua before 5.4.4 says so only of hooks in Lua functions */
         (lua_getstack(L, 0, &ar) && lua_getinfo(L, "n", &ar) &&
          strcmp(ar.namewhat, "hook") == 0);
}
