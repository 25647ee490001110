/* interrupt.h - Ctrl-C of the standard interpreter ends waits

   Its SIGINT handler sets a hook on the main thread of the state, which then
   raises "interrupted!" at the next instruction. A wait executes none: it
   notices that the hook has changed and calls it. */
#ifndef FUT_INTERRUPT_H
#define FUT_INTERRUPT_H

#include "context.h"

/* Remember the hook as it is: debuggers and coverage tools have hooks too. */
void interrupt_init(context *ctx);

/* Before a wait: see hooks that Lua code has set meanwhile, and call the one
   of the interpreter if Ctrl-C was pressed before. May raise. */
void interrupt_check(lua_State *L, context *ctx);

/* Whether the hook has changed; context is the context. For fut_wait. */
bool interrupt_pending(void *context);

/* Whether interrupt_check() would raise: also in signal handlers. */
bool interrupt_wanted(void *context);

/* Call the hook that has changed, which raises if it is the interpreter's. */
void interrupt_deliver(lua_State *L, context *ctx);

/* Called in a message handler: whether the error, its first argument, was
   raised by a hook or by interrupt_deliver(). */
bool interrupt_raised(lua_State *L, const context *ctx);

/* Whether the error at index, caught by whomever, is an interrupt. */
bool interrupt_is(lua_State *L, const context *ctx, int index);

#endif
