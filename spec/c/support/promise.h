/* promise.h - futures for tests, of an arena, with nothing in them */
#ifndef SPEC_PROMISE_H
#define SPEC_PROMISE_H

#include "future.h"

static atomic_uint promises_ended; /* atomic: how many were let go of */

static inline void promise_fini(fut_future *future) {
  (void)future;
  atomic_fetch_add(&promises_ended, 1);
}

static const fut_future_kind promise_kind = {
    .object = {"promise", fut_future_free}, .fini = promise_fini};

static inline fut_arena *promise_arena(void) {
  return fut_arena_new(sizeof(fut_future));
}

/* Return a future that is pending, at one reference. Owner only. */
static inline fut_future *promise_new(fut_arena *arena) {
  fut_future *future = fut_arena_take(arena);
  fut_future_init(future, &promise_kind, arena);
  return future;
}

#endif
