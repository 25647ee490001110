/* allocator.h - the memory of one lua_State: counted, limited, its threads
   known

   Lua tells its allocator the kind of a new object. So the threads of a state
   are known, also those that C code runs by itself. */
#ifndef FUT_ALLOCATOR_H
#define FUT_ALLOCATOR_H

#include "blocks.h"
#include "thread_pool.h"

#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Embedded by its owner; used by the thread that runs the state. */
typedef struct allocator {
  fut_worker_report *report; /* its `memory` tells `used` */
  size_t used;               /* bytes */
  size_t limit;              /* FUT_UNLIMITED: none */
  fut_blocks blocks;
  void *owner;    /* for whoever finds it by allocator_of() */
  bool waits;     /* finalizers of the state may wait for programs */
  bool has_main;  /* the main thread was made */
  void **threads; /* hash set of thread objects, NULL where empty */
  size_t capacity, count;
  void *newest;               /* the last one made, or NULL */
  unsigned fresh;             /* objects made since then */
  size_t thread_size;         /* of a thread object, as soon as known */
  volatile sig_atomic_t busy; /* the set is being changed */
} allocator;

/* Return a new state without libraries whose memory self provides, or NULL if
   there is none. It enforces no limit yet. */
lua_State *allocator_open(allocator *self, fut_worker_report *report);

/* Requires that the state was closed. */
void allocator_fini(allocator *self);

/* Return the allocator of a state. */
static inline allocator *allocator_of(lua_State *L) {
  void *self;
  lua_getallocf(L, &self);
  return self;
}

/* Call visit for every thread that is fit to be looked at, but the main one.
   May be called in a signal handler on the thread that runs the state: then it
   may happen that it calls nothing. */
void allocator_each_thread(const allocator *self,
                           void (*visit)(void *context, lua_State *thread),
                           void *context);

#endif
