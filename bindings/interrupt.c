/* interrupt.c - Ctrl-C of the standard interpreter ends waits */
#include "interrupt.h"

#include <string.h>

#define ALL_EVENTS (LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT)

void interrupt_init(context *ctx) {
  ctx->hook = lua_gethook(ctx->main);
  ctx->hook_mask = lua_gethookmask(ctx->main);
  ctx->hook_count = lua_gethookcount(ctx->main);
}

bool interrupt_pending(void *context_) {
  context *ctx = context_;
  lua_Hook hook = lua_gethook(ctx->main);
  return hook != NULL &&
         (hook != ctx->hook || lua_gethookmask(ctx->main) != ctx->hook_mask ||
          lua_gethookcount(ctx->main) != ctx->hook_count);
}

void interrupt_check(lua_State *L, context *ctx) {
  /* what the interpreter sets, and nobody else: all events, each instruction;
     on the main thread it would have fired before we were called */
  if (interrupt_pending(ctx) && lua_gethookmask(ctx->main) == ALL_EVENTS &&
      lua_gethookcount(ctx->main) == 1)
    interrupt_deliver(L, ctx);
  else
    interrupt_init(ctx);
}

void interrupt_deliver(lua_State *L, context *ctx) {
  lua_Hook hook = lua_gethook(ctx->main);
  int mask = lua_gethookmask(ctx->main);
  int count = lua_gethookcount(ctx->main);
  if (hook == NULL)
    return;
  if (L != ctx->main) /* the hook clears only that of the thread it is for */
    lua_sethook(ctx->main, ctx->hook, ctx->hook_mask, ctx->hook_count);
  lua_Debug ar;
  memset(&ar, 0, sizeof ar);
  if (!lua_getstack(L, 0, &ar))
    return;
  ar.event = LUA_HOOKCOUNT;
  ar.currentline = -1;
  ctx->interrupted = true; /* until somebody asks why it was raised */
  hook(L, &ar);
  /* it did not raise: a hook of another kind, which stays */
  ctx->interrupted = false;
  if (L != ctx->main)
    lua_sethook(ctx->main, hook, mask, count);
  interrupt_init(ctx);
}

bool interrupt_raised(lua_State *L, context *ctx) {
  lua_Debug ar;
  bool interrupted = ctx->interrupted;
  ctx->interrupted = false;
  if (!interrupted && lua_getstack(L, 0, &ar) && lua_getinfo(L, "n", &ar))
    interrupted = strcmp(ar.namewhat, "hook") == 0;
  return interrupted;
}
