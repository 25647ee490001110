/* lfd.h - the descriptor for event loops */
#ifndef FUT_LFD_H
#define FUT_LFD_H

#include <lua.h>

/* fd() */
int l_fd(lua_State *L);

#endif
