/* lawait.h - await, and what a scheduler of coroutines needs */
#ifndef FUT_LAWAIT_H
#define FUT_LAWAIT_H

#include <lua.h>

/* future:await() */
int l_future_await(lua_State *L);

/* Set the scheduler's functions in the module below the context, which is on
   top of the stack. */
void lawait_open(lua_State *L);

#endif
