/* pointer_map.h - which pointers were met, emptied in no time */
#ifndef FUT_POINTER_MAP_H
#define FUT_POINTER_MAP_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pointer_entry {
  const void *pointer;
  uint64_t round : 24; /* the entry is empty unless this is the map's */
  uint64_t value : 40;
} pointer_entry;

/* Open addressing, at most half full. Only one thread. */
typedef struct pointer_map {
  pointer_entry *entries; /* capacity of them, a power of two */
  size_t capacity, count;
  unsigned shift; /* 64 - log2(capacity) */
  uint32_t round;
} pointer_map;

void pointer_map_init(pointer_map *map);
void pointer_map_fini(pointer_map *map);

/* Forget all pointers; memory that was of little use is given back. */
void pointer_map_clear(pointer_map *map);

/* Double the capacity. Raises a memory error, the map intact. */
void pointer_map_grow(lua_State *L, pointer_map *map);

/* Neighbours in memory, as tables that were made in a row are, get slots near
   to one another, so that the entries are in the cache; the bits above those
   that number a slot are mixed in, so that no stride makes them collide. */
static inline size_t pointer_map_slot(const pointer_map *map,
                                      const void *pointer) {
  uint64_t unit = (uint64_t)(uintptr_t)pointer >> 4;
  uint64_t high = (unit >> (64 - map->shift)) * UINT64_C(0x9E3779B97F4A7C15);
  return (size_t)(unit + (high >> map->shift)) & (map->capacity - 1);
}

/* The entry of pointer. *found tells whether it was there; if not, it is now
   and the caller sets its value. Valid until the next call. */
static inline pointer_entry *pointer_map_enter(lua_State *L, pointer_map *map,
                                               const void *pointer,
                                               bool *found) {
  if (map->count * 2 >= map->capacity)
    pointer_map_grow(L, map);
  size_t mask = map->capacity - 1;
  size_t at = pointer_map_slot(map, pointer);
  for (;; at = (at + 1) & mask) {
    pointer_entry *entry = &map->entries[at];
    if (entry->round != map->round) {
      entry->pointer = pointer;
      entry->round = map->round & 0xFFFFFF;
      map->count++;
      *found = false;
      return entry;
    }
    if (entry->pointer == pointer) {
      *found = true;
      return entry;
    }
  }
}

#endif
