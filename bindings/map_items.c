/* map_items.c - the calls of a map and what came of them, in their order */
#include "map_items.h"

#include "check.h"
#include "memory.h"

enum { SMALLEST = 32, LARGEST = 1024 };

bool map_item_leave(map_item *item, fut_state state, bool *whole) {
  unsigned char before =
      atomic_load_explicit(&item->state, memory_order_relaxed);
  *whole = before & ITEM_WHOLE;
  return (before & 7u) == FUT_PENDING &&
         atomic_compare_exchange_strong(&item->state, &before,
                                        (unsigned char)state);
}

bool map_item_lend(map_item *item, bool *whole) {
  unsigned char before =
      atomic_load_explicit(&item->state, memory_order_relaxed);
  *whole = before & ITEM_WHOLE;
  return (before & 7u) == FUT_PENDING &&
         atomic_compare_exchange_strong(
             &item->state, &before,
             (unsigned char)(FUT_RUNNING | (before & ITEM_WHOLE)));
}

void map_item_return(map_item *item) {
  unsigned whole = atomic_load(&item->state) & ITEM_WHOLE;
  atomic_store(&item->state, (unsigned char)(FUT_PENDING | whole));
}

void map_segment_release(map_segment *segment) {
  /* release and acquire: as in fut_object_release() */
  if (atomic_fetch_sub_explicit(&segment->holders, 1, memory_order_acq_rel) !=
      1)
    return;
  for (unsigned i = 0; i < segment->used; i++)
    content_drop(&segment->items[i].content);
  fut_memory_free(segment->links);
  fut_memory_free(segment);
}

bool map_items_full(const map_items *items) {
  return items->last == NULL || items->last->used == items->last->capacity;
}

bool map_items_append(map_items *items, wire_message *message, bool whole,
                      size_t *taken) {
  map_segment *last = items->last;
  map_item *item = &last->items[last->used];
  content_init(&item->content);
  *taken = content_take(&item->content, message);
  if (*taken == SIZE_MAX)
    return false;
  if (last->links)
    last->links[last->used].segment = last;
  atomic_init(&item->state, whole ? FUT_PENDING | ITEM_WHOLE : FUT_PENDING);
  last->used++;
  items->appended++;
  return true;
}

map_segment *map_items_new_segment(const map_items *items) {
  const map_segment *last = items->last;
  unsigned capacity = last ? 2 * last->capacity : SMALLEST;
  if (capacity > LARGEST)
    capacity = LARGEST;
  map_segment *segment =
      fut_memory_new(sizeof *segment + capacity * sizeof segment->items[0]);
  if (segment == NULL)
    return NULL;
  *segment = (map_segment){.first = items->appended, .capacity = capacity};
  atomic_init(&segment->holders, 1);
  if (items->linked) {
    segment->links = fut_memory_new(capacity * sizeof segment->links[0]);
    if (segment->links == NULL) {
      fut_memory_free(segment);
      return NULL;
    }
  }
  return segment;
}

void map_items_link(map_items *items, map_segment *segment) {
  if (items->last)
    items->last->next = segment;
  else
    items->first = segment;
  items->last = segment;
  segment->listed = true;
}

void map_items_unlink(map_items *items, map_segment *segment) {
  map_segment *before = NULL, *at = items->first;
  while (at != segment) {
    before = at;
    at = at->next;
  }
  CHECK(segment->next != NULL); /* the last one stays */
  if (before)
    before->next = segment->next;
  else
    items->first = segment->next;
  segment->listed = false;
}
