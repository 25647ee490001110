/* shelf.h - text that was put where all workers of a process pool can read it

   Most calls go to the functions that calls before went to. What a message
   would repeat is put on the shelf, once, and the message says where it lies.
   What lies there stays as it is until the pool goes. */
#ifndef FUT_SHELF_H
#define FUT_SHELF_H

#include "shared.h"
#include "thread.h"

#include <stdint.h>

#define FUT_SHELF_SIZE                                                         \
  ((size_t)1 << 20)        /* bytes, reserved as they are used                 \
                            */
#define FUT_SHELF_UNIT 16u /* places are counted in so many bytes */

/* Embedded in a pool. */
typedef struct fut_shelf {
  fut_shared *shared; /* set once, as is offset: where in it the shelf lies */
  size_t offset;
  fut_mutex mutex;
  size_t used, reserved;         /* guarded by mutex: bytes */
  struct fut_shelf_entry *index; /* guarded by mutex: what lies there; NULL at
                                    first */
  unsigned count;                /* guarded by mutex: entries */
} fut_shelf;

void fut_shelf_init(fut_shelf *shelf, fut_shared *shared, size_t offset);
void fut_shelf_fini(fut_shelf *shelf);

/* Put so many bytes there, if they are not: return their place, or 0 if there
   is no room, or no memory. Any thread. */
uint64_t fut_shelf_put(fut_shelf *shelf, const unsigned char *bytes,
                       size_t size);

/* In a worker: return where what was put at a place begins, on a shelf of so
   many bytes, or NULL if there is no such place. */
static inline const unsigned char *fut_shelf_at(const unsigned char *shelf,
                                                size_t size, uint64_t place) {
  return place > 0 && place < size / FUT_SHELF_UNIT
             ? shelf + place * FUT_SHELF_UNIT
             : NULL;
}

#endif
