/* map.c - many calls of one function, lent to the workers of a pool

   Here is what the owner does; map_shared.h tells how it works. */
#include "map.h"

#include "map_shared.h"
#include "memory.h"

#define BRISK_NS 10000   /* items that take less are brief */
#define GATHER_NS 20000  /* so long brief items are gathered for workers ... */
#define GATHER_ITEMS 256 /* ... that wait, or until there are so many */
#define HELD_BYTES ((size_t)8 << 20) /* more than this is held by few items */

static void nothing(fut_future *future) { (void)future; }

static const fut_future_kind arrival_kind = {
    .object = {"arrival", fut_future_free}, .fini = nothing};

static void map_free(fut_object *object) {
  map *m = (map *)object;
  map_segment *segment = m->items.first;
  while (segment) {
    map_segment *next = segment->next;
    map_segment_release(segment);
    segment = next;
  }
  if (m->arrival) {
    fut_executor_expect(m->executor, false);
    fut_future_release(m->arrival, NULL);
  }
  content_drop(&m->function);
  fut_arena_close(m->tickets);
  fut_mutex_fini(&m->mutex);
  fut_object_release(&m->executor->object);
  fut_memory_free(m);
}

static const fut_object_kind map_kind = {"map", map_free};

map *map_new(fut_executor *executor, wire_message *function,
             const map_options *options) {
  map *m = fut_memory_new(sizeof *m);
  if (m == NULL)
    return NULL;
  *m = (map){.executor = executor,
             .options = *options,
             .items = {.linked = !options->ordered}};
  content_init(&m->function);
  m->tickets = fut_arena_new(map_ticket_size());
  if (m->tickets == NULL || content_take(&m->function, function) == SIZE_MAX) {
    if (m->tickets)
      fut_arena_close(m->tickets);
    fut_memory_free(m);
    return NULL;
  }
  fut_object_init(&m->object, &map_kind);
  fut_object_hold(&executor->object);
  fut_mutex_init(&m->mutex);
  atomic_init(&m->wanted, NOT_WANTED);
  atomic_init(&m->idle, 0);
  atomic_init(&m->item_ns, 0);
  atomic_init(&m->held, 0);
  atomic_init(&m->ended, NULL);
  return m;
}

void map_cancel(map *m) {
  map_give_up(m, FUT_OK, NULL);
  fut_executor_prune(m->executor);
}

fut_object *map_object(map *m) { return &m->object; }

/* Let go of a segment that is spent. In a forked child it stays in the list: a
   worker of the parent may have had the mutex at that moment. */
static void drop_segment(map *m, map_segment *segment) {
  if (fut_executor_forked(m->executor)) {
    if (m->reading == segment)
      m->reading = segment->next;
    return;
  }
  fut_mutex_lock(&m->mutex);
  if (m->at == segment) {
    m->at = segment->next;
    m->place = 0;
    map_recount(m);
  }
  map_items_unlink(&m->items, segment);
  fut_mutex_unlock(&m->mutex);
  if (m->reading == segment)
    m->reading = segment->next;
  map_segment_release(segment);
}

static bool add_segment(map *m) {
  map_segment *before = m->items.last;
  map_segment *segment = map_items_new_segment(&m->items);
  if (segment == NULL)
    return false;
  fut_mutex_lock(&m->mutex);
  map_items_link(&m->items, segment);
  if (m->at == NULL)
    m->at = segment;
  fut_mutex_unlock(&m->mutex);
  if (m->reading == NULL)
    m->reading = segment;
  if (before && map_segment_spent(before))
    drop_segment(m, before);
  return true;
}

bool map_append(map *m, wire_message *message, bool whole) {
  size_t taken;
  if ((map_items_full(&m->items) && !add_segment(m)) ||
      !map_items_append(&m->items, message, whole, &taken))
    return false;
  if (taken > 0)
    atomic_fetch_add(&m->held, taken);
  return true;
}

fut_err map_announce(map *m) {
  if (m->announced_last == m->items.appended)
    return FUT_OK;
  fut_err err = fut_executor_refusal(m->executor);
  if (err != FUT_OK)
    return err;
  bool fine;
  fut_mutex_lock(&m->mutex);
  bool late = m->given_up;
  m->announced = m->items.appended;
  map_recount(m);
  fut_task *ticket = map_ticket_due(m, &fine);
  fut_mutex_unlock(&m->mutex);
  m->announced_last = m->items.appended;
  m->announced_at = fut_clock_now();
  if (late)
    map_cancel(m);
  if (ticket) {
    err = fut_executor_submit(m->executor, ticket);
    map_ticket_counted(m);
  }
  return fine ? err : FUT_ENOMEM;
}

bool map_announcement_due(const map *m) {
  uint64_t waiting = m->items.appended - m->announced_last;
  size_t chunksize = m->options.chunksize;
  if (chunksize > 0)
    return waiting % chunksize == 0;
  if (waiting >= GATHER_ITEMS)
    return true;
  /* relaxed: a hint */
  if (atomic_load_explicit(&m->idle, memory_order_relaxed) > 0)
    return false;
  return !map_brisk(m) || fut_clock_now() - m->announced_at > GATHER_NS;
}

uint64_t map_appended(const map *m) { return m->items.appended; }

uint64_t map_ample(const map *m) {
  /* relaxed: hints */
  long long item_ns = atomic_load_explicit(&m->item_ns, memory_order_relaxed);
  size_t held = atomic_load_explicit(&m->held, memory_order_relaxed);
  uint64_t few = 2 * (uint64_t)m->executor->max_workers;
  if (item_ns == 0 || held > HELD_BYTES)
    return few;
  uint64_t loans = few * 2 * (uint64_t)(MAP_LOAN_NS / item_ns);
  return loans < few ? few : loans > 8192 ? 8192 : loans;
}

bool map_brisk(const map *m) {
  long long item_ns = atomic_load_explicit(&m->item_ns, memory_order_relaxed);
  return item_ns > 0 && item_ns < BRISK_NS;
}

/* Take over what has ended since, in the order in which it did. */
static void take_over(map *m) {
  map_link *link = atomic_exchange(&m->ended, NULL);
  while (link) {
    map_link *before = link->next;
    link->next = m->arrived;
    m->arrived = link;
    link = before;
  }
}

/* Find the next item in order, ended or not; NULL if there is none. In order,
   what is read of a segment are its first items. */
static map_item *head(map *m) {
  if (m->reading && m->reading->yielded == m->reading->capacity)
    m->reading = m->reading->next; /* NULL: set by the next one */
  map_segment *reading = m->reading;
  return reading && reading->yielded < reading->used
             ? &reading->items[reading->yielded]
             : NULL;
}

bool map_next(map *m, map_position *next) {
  if (!m->options.ordered) {
    if (m->arrived == NULL && atomic_load(&m->ended))
      take_over(m);
    map_link *link = m->arrived;
    if (link == NULL)
      return false;
    *next =
        (map_position){link->segment, (unsigned)(link - link->segment->links)};
    return true;
  }
  map_item *item = head(m);
  if (item == NULL || !fut_state_done(map_item_state(item)))
    return false;
  *next = (map_position){m->reading, m->reading->yielded};
  return true;
}

fut_future *map_arrival(map *m, fut_arena *arena) {
  fut_future *arrival = fut_arena_take(arena);
  if (arrival == NULL)
    return NULL;
  fut_future_init(arrival, &arrival_kind, arena);
  fut_object_hold(&arrival->object);
  long long wanted = ANY_WANTED;
  if (m->options.ordered && head(m))
    wanted = (long long)(m->reading->first + m->reading->yielded) + 1;
  fut_mutex_lock(&m->mutex);
  fut_future *before = m->arrival;
  if (before == NULL)
    fut_executor_expect(m->executor, true);
  m->arrival = arrival;
  atomic_store(&m->wanted, wanted);
  fut_mutex_unlock(&m->mutex);
  if (before) {
    /* a step waits for it while a callback reads: let it look again */
    fut_future_end(before, FUT_FINISHED);
    fut_future_release(before, arena);
  }
  map_position next;
  if (map_next(m, &next))
    map_arrive(m);
  return arrival;
}

void map_yield(map *m, map_position read) {
  map_segment *segment = read.segment;
  size_t freed = content_drop(&segment->items[read.place].content);
  if (freed > 0)
    atomic_fetch_sub(&m->held, freed);
  if (!m->options.ordered)
    m->arrived = m->arrived->next;
  segment->yielded++;
  if (map_segment_spent(segment) && segment->next)
    drop_segment(m, segment);
}
