/* current.h - what a task may know of itself */
#ifndef FUT_CURRENT_H
#define FUT_CURRENT_H

#include <lua.h>

/* current(): a table, or nil outside of tasks; the context is the upvalue */
int l_current(lua_State *L);

#endif
