/* arg.h - checked arguments */
#ifndef FUT_ARG_H
#define FUT_ARG_H

#include "clock.h"

#include <lauxlib.h>
#include <lua.h>

/* Return the deadline that the argument means: a number of seconds, 0 or less
   for FUT_POLL; nil, none and huge ones for FUT_NEVER. Raises for anything
   else, NaN too. */
fut_deadline arg_deadline(lua_State *L, int arg);

/* The same for the value on top of the stack, which is popped; misuse is
   raised as an argument error of arg that names the option. */
fut_deadline arg_deadline_option(lua_State *L, int arg, const char *option);

/* Raise an argument error of a wrong type: "function expected, got nil". */
int arg_type_error(lua_State *L, int arg, const char *expected);

/* Raise unless the argument can be called. */
void arg_callable(lua_State *L, int arg);

#endif
