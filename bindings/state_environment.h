/* state_environment.h - what every lua_State of a pool starts with */
#ifndef FUT_STATE_ENVIRONMENT_H
#define FUT_STATE_ENVIRONMENT_H

#include "object.h"
#include "wire.h"

#include <signal.h>

typedef struct state_environment {
  fut_object object;
  enum wire_mode mode;        /* of all messages; all set once */
  size_t memory_limit;        /* bytes; FUT_UNLIMITED */
  sigset_t signals;           /* the mask of the thread that made the pool */
  wire_message initializer;   /* a function and its arguments, or empty */
  const unsigned char *shelf; /* of the pool; NULL: none */
  size_t shelf_size;
  const char *path, *cpath; /* package.path and cpath; lie in text */
  char text[];
} state_environment;

/* Make one for the calling thread. Copies the paths; takes what is in
   initializer, if that is not NULL. NULL if memory ran out. The caller owns the
   reference. */
state_environment *state_environment_new(enum wire_mode mode, const char *path,
                                         const char *cpath, size_t memory_limit,
                                         wire_message *initializer);

#endif
