/* warn.h - what warn() does in a state of ours, the same as elsewhere */
#ifndef FUT_WARN_H
#define FUT_WARN_H

#include <lua.h>
#include <stdbool.h>

/* Embedded by the owner of a state; lives as long as that. */
typedef struct warnings {
  bool on;   /* by warn("@on") */
  bool amid; /* the next piece goes on with a message */
} warnings;

/* Warnings of the state go to the standard error output, once they are on. */
void warnings_open(warnings *self, lua_State *L);

#endif
