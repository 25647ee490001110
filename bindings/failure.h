/* failure.h - the outcome of a call that failed, as it travels

   Class, error, traceback: class is -1 and the error a value of any kind, or
   class is that of an error of ours and the error its message. One value alone
   is an error without traceback. */
#ifndef FUT_FAILURE_H
#define FUT_FAILURE_H

#include "context.h"

/* Function of three arguments: what was raised, a failure_source, and whether
   it was raised by a task. Encodes the outcome; protects itself from what is
   raised as it does so, but for memory errors. */
int failure_encode(lua_State *L);

typedef struct failure_source {
  wire_state *wire; /* whose hooks are failure_hooks */
  wire_message *outcome;
  enum wire_mode mode;
} failure_source;

/* With these a refusal is a table, so that it is told from errors of memory. */
extern const wire_hooks failure_hooks;

/* Message handler for tasks, of the error at index 1: leave it with a
   traceback, to which name, if not NULL, is added. It ends with the callers of
   the C function bottom, or with the last one if that is NULL. */
int failure_handle(lua_State *L, const char *name, lua_CFunction bottom);

/* Push error and traceback (or nil) of a FAILED outcome that was decoded: the
   values from index first to the top of the stack, which stay. */
void failure_push(lua_State *L, context *ctx, int first);

#endif
