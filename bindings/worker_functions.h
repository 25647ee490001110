/* worker_functions.h - what Lua's libraries do otherwise in a worker thread */
#ifndef FUT_WORKER_FUNCTIONS_H
#define FUT_WORKER_FUNCTIONS_H

#include <lua.h>
#include <signal.h>

/* Replace os.exit, os.setlocale, os.execute, io.popen and print of a new state
   whose stop is open. Programs start with the signal mask, which is borrowed
   for the life of the state. Raises a memory error. */
void worker_functions_replace(lua_State *L, const sigset_t *signals);

/* In a process: replace io.popen by one that does the same, but is noticed (see
   allocator.waits). Raises a memory error. */
void worker_functions_watch(lua_State *L);

#endif
