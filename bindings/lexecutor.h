/* lexecutor.h - the classes of executors as Lua sees them */
#ifndef FUT_LEXECUTOR_H
#define FUT_LEXECUTOR_H

#include "context.h"

/* Make classes and constructors; the context is on top of the stack, the
   module below it. */
void lexecutor_open(lua_State *L, context *ctx);

#endif
