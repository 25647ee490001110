/* map.h - many calls of one function, lent to the workers of a pool */
#ifndef FUT_MAP_H
#define FUT_MAP_H

#include "map_items.h"

/* Counted. One thread fills and reads it, its owner. */
typedef struct map map;

typedef struct map_options {
  size_t chunksize; /* items of a loan; 0: as they turn out */
  double priority;  /* of all items */
  bool ordered;     /* they are read in their order, not as they end */
} map_options;

/* Return a map of the function that the message is, which is empty then; NULL
   if memory ran out. Requires an executor whose workers share tasks. The
   caller owns it and ends it with fut_object_release(map_object()). */
map *map_new(fut_executor *executor, wire_message *function,
             const map_options *options);
fut_object *map_object(map *m);

/* Append a call with the arguments that the message is, which is empty then;
   whole: its first value is the function. False: out of memory. Owner only. */
bool map_append(map *m, wire_message *message, bool whole);

/* Let workers have what was appended. As fut_executor_submit(): on an error
   what was not announced is lost, or all that has not started cancelled.
   Owner only. */
fut_err map_announce(map *m);

/* Whether what was appended should be announced: it is much, or some worker
   may be without work. Owner only. */
bool map_announcement_due(const map *m);

/* Return how many items were appended. Owner only. */
uint64_t map_appended(const map *m);

/* Return how many items not read yet make good use of the workers. Owner
   only. */
uint64_t map_ample(const map *m);

/* Whether items are brief, so that a wait should be for many of them. */
bool map_brisk(const map *m);

/* Where an item lies. */
typedef struct map_position {
  map_segment *segment;
  unsigned place;
} map_position;

/* Find the item to be read next; false if that has not ended. Owner only. */
bool map_next(map *m, map_position *next);

/* Return a future that ends when map_next() is worth a look; NULL if memory
   ran out. The caller owns the reference. The arena is the owner's. Owner
   only. */
fut_future *map_arrival(map *m, fut_arena *arena);

/* The item that is next was read: let go of its outcome. Owner only. */
void map_yield(map *m, map_position read);

/* Cancel every item that has not started. Any thread. Never blocks. */
void map_cancel(map *m);

#endif
