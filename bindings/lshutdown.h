/* lshutdown.h - the end of an executor, as Lua brings it about */
#ifndef FUT_LSHUTDOWN_H
#define FUT_LSHUTDOWN_H

#include <lua.h>

/* shutdown(executor, wait or options) */
int l_executor_shutdown(lua_State *L);

/* __close(executor, error) */
int l_executor_close(lua_State *L);

/* The methods of process pools, of the same names: (executor) */
int l_executor_terminate_workers(lua_State *L);
int l_executor_kill_workers(lua_State *L);

#endif
