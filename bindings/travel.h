/* travel.h - executors and futures in messages between states of a process */
#ifndef FUT_TRAVEL_H
#define FUT_TRAVEL_H

#include "context.h"

/* Members of wire_hooks. In each state the same userdata always stands for the
   same executor or future: a weak table of the context leads from its address
   to it, once it has been sent or received there. */

/* Return what stands in a message for the executor or future at index, or NULL
   for other userdata. Raises memory errors, and refusals for the outcome of a
   future that was completed by hand. */
fut_object *travel_object(lua_State *L, int index);

/* Let the userdata at index stand for the object at address from now on. Raises
   memory errors. */
void travel_remember(lua_State *L, context *ctx, int index,
                     const void *address);

/* Push the userdata for what travel_object() returned, maybe in another state;
   opens the module if this one has not. Raises memory errors, and what
   require "futures" raises. */
void travel_push(lua_State *L, fut_object *object);

#endif
