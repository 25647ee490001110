/* on_state.h - what a host has called in every new worker state */
#ifndef FUT_ON_STATE_H
#define FUT_ON_STATE_H

#include <lua.h>

/* Add a function to those that are called; nothing if it is there already.
   Any thread. Never blocks. */
void on_state_add(lua_CFunction function);

/* Call them all with L, in the order in which they were added. What one
   raises, this raises, with a message that says whose it is. Runs user code. */
void on_state_run(lua_State *L);

#endif
