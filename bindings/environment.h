/* environment.h - the globals that came along with one task, over the others */
#ifndef FUT_ENVIRONMENT_H
#define FUT_ENVIRONMENT_H

#include <lua.h>
#include <stdbool.h>

/* Push an empty one. Reading what it lacks reads the globals of the state,
   writing another name than those added writes there. */
void environment_push(lua_State *L);

/* Pop a value and below it a name, which is from now on a variable of the
   environment at index. */
void environment_add(lua_State *L, int index);

/* Whether the value at index is an environment. */
bool environment_is(lua_State *L, int index);

/* Whether the value at index only stands before the globals of this state: an
   empty table whose metatable finds them by a function, as that of busted's
   spec files does. Calls that function, which may raise. */
bool environment_wraps(lua_State *L, int index);

#endif
