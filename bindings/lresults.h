/* lresults.h - map, and its results as Lua sees them */
#ifndef FUT_LRESULTS_H
#define FUT_LRESULTS_H

#include "context.h"

/* Make the class; the context is on top of the stack, the module below. */
void lresults_open(lua_State *L, context *ctx);

/* map(executor, fn, ...) -> results, nil, nil, results */
int l_executor_map(lua_State *L);

#endif
