/* shelf.c - text that was put where all workers of a process pool can read it
 */
#include "shelf.h"

#include "hash.h"
#include "memory.h"

#define INDEX 1024u /* entries of the index, a power of two */
#define FIRST_RESERVED ((size_t)16 << 10)

struct fut_shelf_entry {
  uint64_t hash;
  uint32_t place; /* 0: there is none */
  uint32_t size;
};

void fut_shelf_init(fut_shelf *shelf, fut_shared *shared, size_t offset) {
  *shelf = (fut_shelf){.shared = shared,
                       .offset = offset,
                       .used = FUT_SHELF_UNIT /* 0 is no place */};
  fut_mutex_init(&shelf->mutex);
}

void fut_shelf_fini(fut_shelf *shelf) {
  fut_memory_free(shelf->index);
  fut_mutex_fini(&shelf->mutex);
}

static unsigned char *start(const fut_shelf *shelf) {
  return (unsigned char *)shelf->shared->base + shelf->offset;
}

static bool have_index(fut_shelf *shelf) {
  if (shelf->index)
    return true;
  shelf->index = fut_memory_new(INDEX * sizeof *shelf->index);
  for (unsigned i = 0; shelf->index && i < INDEX; i++)
    shelf->index[i].place = 0;
  return shelf->index != NULL;
}

/* Return the entry of those bytes, or the empty one where it belongs. */
static struct fut_shelf_entry *find(fut_shelf *shelf, uint64_t hash,
                                    const unsigned char *bytes, size_t size) {
  unsigned at = (unsigned)hash & (INDEX - 1);
  struct fut_shelf_entry *entry = &shelf->index[at];
  for (; entry->place != 0; entry = &shelf->index[at = (at + 1) & (INDEX - 1)])
    if (entry->hash == hash && entry->size == size &&
        memcmp(start(shelf) + entry->place * FUT_SHELF_UNIT, bytes, size) == 0)
      break;
  return entry;
}

/* Have room for so many bytes more. */
static bool reserve(fut_shelf *shelf, size_t size) {
  size_t needed = shelf->used + size;
  if (size > FUT_SHELF_SIZE - shelf->used)
    return false;
  if (needed <= shelf->reserved)
    return true;
  size_t most = shelf->reserved ? 2 * shelf->reserved : FIRST_RESERVED;
  while (most < needed)
    most *= 2;
  if (most > FUT_SHELF_SIZE)
    most = FUT_SHELF_SIZE;
  if (fut_shared_reserve(shelf->shared, shelf->offset + shelf->reserved,
                         most - shelf->reserved) != FUT_OK)
    return false;
  shelf->reserved = most;
  return true;
}

static uint64_t put(fut_shelf *shelf, const unsigned char *bytes, size_t size) {
  if (!have_index(shelf))
    return 0;
  uint64_t hash = hash_bytes(bytes, size);
  struct fut_shelf_entry *entry = find(shelf, hash, bytes, size);
  if (entry->place != 0)
    return entry->place;
  if (shelf->count >= INDEX / 2 || !reserve(shelf, size))
    return 0;
  memcpy(start(shelf) + shelf->used, bytes, size);
  *entry = (struct fut_shelf_entry){
      hash, (uint32_t)(shelf->used / FUT_SHELF_UNIT), (uint32_t)size};
  shelf->count++;
  shelf->used += (size + FUT_SHELF_UNIT - 1) / FUT_SHELF_UNIT * FUT_SHELF_UNIT;
  if (shelf->used > FUT_SHELF_SIZE)
    shelf->used = FUT_SHELF_SIZE;
  return entry->place;
}

uint64_t fut_shelf_put(fut_shelf *shelf, const unsigned char *bytes,
                       size_t size) {
  fut_mutex_lock(&shelf->mutex);
  uint64_t place = put(shelf, bytes, size);
  fut_mutex_unlock(&shelf->mutex);
  return place;
}
