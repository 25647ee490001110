/* callbacks.h - functions that run when a future has ended, at safe points */
#ifndef FUT_CALLBACKS_H
#define FUT_CALLBACKS_H

#include "lfuture.h"

/* Make what callbacks need; the context is on top of the stack. */
void callbacks_open(lua_State *L, context *ctx);

/* Add the function at index fn to the future at index 1 of the stack, whose
   box it is. Runs it at once if the future has ended and no callback is
   running. Raises memory errors and interrupts. */
void callbacks_add(lua_State *L, context *ctx, future_box *box, int fn);

/* The future at index 1, whose box it is, is about to be ended here: from now
   on its callbacks, and what they have captured, stay until they were run.
   Raises memory errors. */
void callbacks_expect(lua_State *L, context *ctx, const future_box *box);

/* Run the callbacks that are due, return how many. Nothing happens inside a
   callback. Raises interrupts only. */
int callbacks_run(lua_State *L, context *ctx);

/* Before a wait: run those that an interrupt has kept from running. */
static inline void callbacks_go_on(lua_State *L, context *ctx) {
  if (ctx->broken_off)
    callbacks_run(L, ctx);
}

/* The same as callbacks_run(), but false instead of raising. */
bool callbacks_run_protected(lua_State *L, context *ctx);

/* Stop watching the future of a box for callbacks. */
void callbacks_forget(lua_State *L, context *ctx, future_box *box);

/* Forget all callbacks: the state closes. */
void callbacks_drop(lua_State *L, context *ctx);

#endif
