/* future.h - an outcome that is set once, and those who watch for it */
#ifndef FUT_FUTURE_H
#define FUT_FUTURE_H

#include "arena.h"
#include "object.h"

#include <stdatomic.h>
#include <stdbool.h>

/*   PENDING ---> RUNNING ---> FINISHED
        |  \         |   \---> FAILED
        |   \        \-------> CANCELLED   (stopped while it ran)
        |    \---------------> FINISHED, FAILED   (completed by hand)
        \--------------------> CANCELLED                                */
typedef enum fut_state {
  FUT_PENDING,
  FUT_RUNNING,
  FUT_CANCELLED,
  FUT_FINISHED, /* with values */
  FUT_FAILED    /* with an error */
} fut_state;

typedef struct fut_future fut_future;
typedef struct fut_watch fut_watch;

/* What a future is part of: its object kind, and what ends its contents. */
typedef struct fut_future_kind {
  fut_object_kind object; /* free is fut_future_free */
  /* Let go of what the future holds; its block goes back after this. */
  void (*fini)(fut_future *future);
  /* Somebody has begun to watch it. With no lock held; NULL: nothing to do. */
  void (*watched)(fut_future *future);
  /* Called once by the thread that ended the future, with no lock held by it;
     may call user code. NULL: nothing to do. */
  void (*ended)(fut_future *future);
} fut_future_kind;

/* Embedded as the first member of a block of the arena. */
struct fut_future {
  fut_object object;
  fut_arena *arena;    /* set once */
  fut_watch *watches;  /* guarded by the arena's lock */
  atomic_uint word;    /* atomic: state, and whether it is or was watched */
  unsigned generation; /* set once: the fork generation whose threads end
                          it, or FUT_ANY_GENERATION */
};

/* Somebody who wants to hear of the end of a future, once. Embedded. */
struct fut_watch {
  fut_watch *next, *prev; /* guarded by the lock of the future's arena, then
                             by whoever was told */
  bool registered;        /* guarded by the lock of the future's arena */
  /* Told with the arena's lock held: must not block, call user code or take
     a lock but that of a completion queue. Afterwards wakes, if not NULL,
     the returned waiter, whose reference it takes. */
  struct fut_waiter *(*told)(fut_watch *watch, fut_state state);
};

/* Stand at one reference and PENDING. Requires a block of arena. */
void fut_future_init(fut_future *future, const fut_future_kind *kind,
                     fut_arena *arena);

/* What fut_object_kind.free of every future is. */
void fut_future_free(fut_object *object);

/* Give up a reference. here is the arena of the calling thread, or NULL. */
void fut_future_release(fut_future *future, fut_arena *here);

/* Each of these makes one step of the picture above and returns whether it
   was this call that made it. Any thread that holds a reference, also while
   others try the same: exactly one ends a future. Never blocks. */
bool fut_future_start(fut_future *future);
bool fut_future_cancel(fut_future *future); /* from PENDING only */
bool fut_future_end(fut_future *future, fut_state state); /* FINISHED, FAILED,
    or CANCELLED of a running one; from PENDING or RUNNING */

/* Ask whoever runs the future to end it early: whether it is RUNNING. From
   then on fut_future_end_unasked() returns false. */
bool fut_future_ask(fut_future *future);

/* Whether it is RUNNING and was asked. */
bool fut_future_asked(const fut_future *future);

/* As fut_future_end(), but also false, and nothing done, if it was asked. */
bool fut_future_end_unasked(fut_future *future, fut_state state);

/* End a RUNNING future whose task goes on all the same: FAILED or CANCELLED.
   What the task still writes is not the outcome. */
bool fut_future_abandon(fut_future *future, fut_state state);

/* Whether it was ended by fut_future_abandon(). */
bool fut_future_abandoned(const fut_future *future);

/* Return the state as of now; what came before it is visible. */
static inline fut_state fut_future_state(const fut_future *future) {
  /* acquire: partner of the release with which the future was ended */
  return (fut_state)(atomic_load_explicit(&future->word, memory_order_acquire) &
                     7u);
}

static inline bool fut_state_done(fut_state state) {
  return state >= FUT_CANCELLED;
}

/* Whether the future was made before this process was forked off and has not
   ended: unless somebody here ends it, it never will. */
bool fut_future_lost(const fut_future *future);

/* Register a watch, whose `told` is set; if the future has ended already,
   return false and tell nobody. Any thread that holds a reference, which must
   last until it was told or unwatched. */
bool fut_future_watch(fut_future *future, fut_watch *watch);

/* End a watch of the future: when this returns, told is not running and will
   not run. Return false if it has run, or was refused by fut_future_watch().
   Requires that the reference lasts. */
bool fut_future_unwatch(fut_future *future, fut_watch *watch);

/* Whether somebody watches, or has. Any thread that holds a reference. */
static inline bool fut_future_watched(const fut_future *future) {
  return atomic_load(&future->word) & 8u;
}

/* Wait, if the future has ended, until all who watched it have been told. */
void fut_future_settle(fut_future *future);

#endif
