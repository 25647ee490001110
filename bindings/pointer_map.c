/* pointer_map.c - growing and emptying the map of pointers met */
#include "pointer_map.h"

#include "memory.h"

#include "wire_message.h"

enum { MIN_CAPACITY = 32, KEEP_CAPACITY = 4096, LAST_ROUND = 0xFFFFFF };

void pointer_map_init(pointer_map *map) { memset(map, 0, sizeof *map); }

void pointer_map_fini(pointer_map *map) {
  fut_memory_free(map->entries);
  pointer_map_init(map);
}

void pointer_map_clear(pointer_map *map) {
  if (map->capacity > KEEP_CAPACITY && map->count < map->capacity / 16)
    pointer_map_fini(map);
  map->count = 0;
  if (map->round == LAST_ROUND) { /* else entries of old would be alive */
    memset(map->entries, 0, map->capacity * sizeof(pointer_entry));
    map->round = 0;
  }
  map->round++;
}

void pointer_map_grow(lua_State *L, pointer_map *map) {
  size_t capacity = map->capacity ? map->capacity * 2 : MIN_CAPACITY;
  unsigned shift = map->capacity ? map->shift - 1 : 64 - 5;
  pointer_entry *entries = NULL;
  if (capacity <= SIZE_MAX / 2 / sizeof *entries)
    entries = fut_memory_new(capacity * sizeof *entries);
  if (entries == NULL)
    wire_no_memory(L);
  memset(entries, 0, capacity * sizeof *entries);
  pointer_map old = *map;
  map->entries = entries;
  map->capacity = capacity;
  map->shift = shift;
  map->count = 0;
  map->round = 1;
  for (size_t i = 0; i < old.capacity; i++) {
    bool found;
    if (old.entries[i].round == old.round) /* never grows: half as full */
      pointer_map_enter(L, map, old.entries[i].pointer, &found)->value =
          old.entries[i].value;
  }
  fut_memory_free(old.entries);
}
