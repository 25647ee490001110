/* traceback.h - the traceback of a task that runs inside of another */
#ifndef FUT_TRACEBACK_H
#define FUT_TRACEBACK_H

#include <lua.h>

/* Push message and the traceback of the callers of the running function, up to
   but without the C function bottom, as luaL_traceback() writes it. */
void traceback_push(lua_State *L, const char *message, lua_CFunction bottom);

#endif
