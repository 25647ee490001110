/* stop_functions.h - protected calls and coroutines that let a stop through */
#ifndef FUT_STOP_FUNCTIONS_H
#define FUT_STOP_FUNCTIONS_H

#include <lua.h>

/* xpcall, and where on its stack its message handler lies. */
int l_stop_xpcall(lua_State *L);
enum { STOP_XPCALL_HANDLER = 2 };

#endif
