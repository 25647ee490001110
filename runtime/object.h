/* object.h - something counted that several threads may hold */
#ifndef FUT_OBJECT_H
#define FUT_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct fut_object fut_object;

/* One static instance for each kind of object: its address is the kind. */
typedef struct fut_object_kind {
  const char *name;
  /* End the object; called once, by whoever released the last reference. */
  void (*free)(fut_object *object);
} fut_object_kind;

/* Embedded as the first member of whatever is counted. */
struct fut_object {
  const fut_object_kind *kind; /* set once */
  atomic_uint references;      /* atomic */
};

/* Stand at one reference, owned by the caller. */
static inline void fut_object_init(fut_object *object,
                                   const fut_object_kind *kind) {
  object->kind = kind;
  atomic_init(&object->references, 1);
}

/* Add a reference. Requires that the caller holds or borrows one.
   Any thread. Never blocks. */
static inline void fut_object_hold(fut_object *object) {
  /* relaxed: the reference already held orders everything */
  atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
}

/* Add so many references. As fut_object_hold(). */
static inline void fut_object_hold_many(fut_object *object, unsigned count) {
  /* relaxed: as above */
  atomic_fetch_add_explicit(&object->references, count, memory_order_relaxed);
}

/* Add a reference unless the last one was given up: whether it did. Requires
   that the memory is still there. Any thread. Never blocks. */
static inline bool fut_object_try_hold(fut_object *object) {
  unsigned count =
      atomic_load_explicit(&object->references, memory_order_relaxed);
  while (count > 0)
    /* relaxed: as above */
    if (atomic_compare_exchange_weak_explicit(&object->references, &count,
                                              count + 1, memory_order_relaxed,
                                              memory_order_relaxed))
      return true;
  return false;
}

/* Give up so many references; the last one ends the object. Any thread. */
static inline void fut_object_release_many(fut_object *object, unsigned count) {
  /* release: what we did is visible to the one that frees;
     acquire: we see what all others did (partners of each other) */
  if (atomic_fetch_sub_explicit(&object->references, count,
                                memory_order_acq_rel) == count)
    object->kind->free(object);
}

static inline void fut_object_release(fut_object *object) {
  fut_object_release_many(object, 1);
}

#endif
