/* lpool.h - new executors, as Lua makes them */
#ifndef FUT_LPOOL_H
#define FUT_LPOOL_H

#include <lua.h>

/* thread_pool(options, path, cpath), serial(options, path, cpath) -> executor:
   arguments were checked */
int l_executor_thread_pool(lua_State *L);
int l_executor_serial(lua_State *L);

/* process_pool(options, path, cpath, program) -> executor: the same */
int l_executor_process_pool(lua_State *L);

#endif
