/* promise.h - futures that Lua code completes by hand */
#ifndef FUT_PROMISE_H
#define FUT_PROMISE_H

#include <lua.h>

/* futures.Future(): called as the class, which is the argument */
int l_future_new(lua_State *L);

/* The methods of futures that only these allow; on those of an executor they
   raise InvalidStateError. */
int l_future_set_result(lua_State *L);
int l_future_set_exception(lua_State *L);
int l_future_set_running_or_notify_cancel(lua_State *L);

#endif
