/* map_items.h - the calls of a map and what came of them, in their order */
#ifndef FUT_MAP_ITEMS_H
#define FUT_MAP_ITEMS_H

#include "content.h"

typedef struct map_segment map_segment;

/* One call. Who moved it out of PENDING has its content until it has ended;
   before that and after it that is the reader's. */
typedef struct map_item {
  atomic_uchar state; /* atomic: an enum fut_state, and ITEM_WHOLE */
  content content;    /* the call, then its outcome */
} map_item;

_Static_assert(sizeof(map_item) == 16, "there are many of them");

enum {
  ITEM_WHOLE = 8
}; /* set while PENDING, or lent: content holds the
      function too */

/* Where an item that has ended lies among those that have (map.c). */
typedef struct map_link {
  struct map_link *next;
  map_segment *segment;
} map_link;

/* Some calls in a row. It lives as long as it is in the list, or a worker is
   at work in it. */
struct map_segment {
  map_segment *next;   /* guarded by the map's mutex */
  bool listed;         /* guarded by the map's mutex */
  atomic_uint holders; /* atomic */
  uint64_t first;      /* set once: the number of its first item, from 0 */
  unsigned capacity;   /* set once */
  unsigned used;       /* reader only: items appended */
  unsigned yielded;    /* reader only: items read */
  map_link *links;     /* set once: one for each item; NULL: none */
  map_item items[];
};

/* The segments of a map, changed by the reader under the map's mutex. */
typedef struct map_items {
  map_segment *first, *last; /* guarded by the map's mutex */
  uint64_t appended;         /* reader only: items ever appended */
  bool linked;               /* set once: items get links */
} map_items;

/* Return the state of an item; what came before it is visible. */
static inline fut_state map_item_state(const map_item *item) {
  /* sequentially consistent: see map.c */
  return (fut_state)(atomic_load(&item->state) & 7u);
}

/* Move an item from PENDING to state; false if it is not. *whole says what the
   content is. Any thread. */
bool map_item_leave(map_item *item, fut_state state, bool *whole);

/* Move an item from PENDING to RUNNING, as map_item_leave(), in such a way that
   it can be moved back. */
bool map_item_lend(map_item *item, bool *whole);
void map_item_return(map_item *item);

/* Give up one hold; the last one frees it and what its items hold. Any
   thread. */
void map_segment_release(map_segment *segment);

/* Whether all items of a segment were read, and no others will come. Reader
   only. */
static inline bool map_segment_spent(const map_segment *segment) {
  return segment->yielded == segment->capacity;
}

/* Append a call in the last segment, which must not be full: its content.
   False: out of memory. *taken says how much memory the content took. Reader
   only. */
bool map_items_append(map_items *items, wire_message *message, bool whole,
                      size_t *taken);

/* Whether a new segment is needed for that. Reader only. */
bool map_items_full(const map_items *items);

/* Return a new segment, to be put behind the last one, or NULL if memory ran
   out. Reader only. */
map_segment *map_items_new_segment(const map_items *items);

/* Put it there. Assumes the map's mutex held. Reader only. */
void map_items_link(map_items *items, map_segment *segment);

/* Take a segment out; its hold is the caller's. Assumes the map's mutex held.
   Reader only. */
void map_items_unlink(map_items *items, map_segment *segment);

#endif
