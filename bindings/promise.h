/* promise.h - futures that Lua code completes by hand */
#ifndef FUT_PROMISE_H
#define FUT_PROMISE_H

#include "job.h"
#include "lfuture.h"

/* futures.Future(): called as the class, which is the argument */
int l_future_new(lua_State *L);

/* The methods of futures that only these allow; on those of an executor they
   raise InvalidStateError. */
int l_future_set_result(lua_State *L);
int l_future_set_exception(lua_State *L);
int l_future_set_running_or_notify_cancel(lua_State *L);

/* The future at index, which is one of these and whose box it is, is going to
   other states: from now on its outcome is bytes. Return what is sent: its
   hand, or the future itself if this box has none any more. Borrowed. Raises
   memory errors, and a refusal if it has an outcome that cannot be sent. */
fut_object *promise_share(lua_State *L, int index, const future_box *box);

/* Return the future whose hand object is, or NULL if it is none. */
fut_future *promise_of_hand(fut_object *object);

/* Return the future that object is, or whose hand; NULL: no such future. */
const fut_future *promise_of(const fut_object *object);

/* Return what its outcome holds. Assumes the lock of circles held. */
circle_links promise_links(const fut_future *future);

/* Return the outcome of one that was shared and is FINISHED or FAILED, as
   job_outcome() does. */
job_content promise_outcome(const fut_future *future);

#endif
