/* lwait.h - wait, as_completed and poll as Lua sees them */
#ifndef FUT_LWAIT_H
#define FUT_LWAIT_H

#include "context.h"

/* Make the functions; the context is on top of the stack, the module below
   it. */
void lwait_open(lua_State *L);

#endif
