/* lencode.h - encode, decode and names as Lua sees them */
#ifndef FUT_LENCODE_H
#define FUT_LENCODE_H

#include "context.h"

/* Make the functions; the context is on top of the stack, the module below
   it. */
void lencode_open(lua_State *L);

#endif
