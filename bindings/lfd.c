/* lfd.c - the descriptor for event loops */
#include "lfd.h"

#include "fail.h"

int l_fd(lua_State *L) {
  context *ctx = context_get(L);
  fut_notifier *last = ctx->notifier;
  if (last == NULL || fut_notifier_forked(last)) {
    fut_notifier *fresh = fut_notifier_new();
    if (fresh == NULL)
      fail_raise(L, ctx, FAIL_RUNTIME, "cannot open a descriptor");
    ctx->notifier = fresh;
    fut_completions_notify(&ctx->callbacks, fresh, ctx->broken_off);
    fut_notifier_free(last);
  }
  lua_pushinteger(L, fut_notifier_descriptor(ctx->notifier));
  return 1;
}
