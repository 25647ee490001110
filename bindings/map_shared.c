/* map_shared.c - how items end, whoever ends them */
#include "map_shared.h"

void map_arrive(map *m) {
  fut_mutex_lock(&m->mutex);
  fut_future *arrival = m->arrival;
  m->arrival = NULL;
  atomic_store(&m->wanted, NOT_WANTED);
  fut_mutex_unlock(&m->mutex);
  if (arrival == NULL)
    return;
  fut_executor_expect(m->executor, false);
  fut_future_end(arrival, FUT_FINISHED);
  fut_future_release(arrival, NULL);
}

fut_state map_put_outcome(map *m, content *held, wire_message *outcome,
                          fut_state state) {
  size_t freed = content_drop(held), taken = 0;
  if (state != FUT_CANCELLED) {
    taken = outcome ? content_take(held, outcome) : SIZE_MAX;
    if (taken == SIZE_MAX) {
      if (outcome)
        wire_message_clear(outcome);
      content_put_no_memory(held);
      state = FUT_FAILED;
      taken = 0;
    }
  }
  if (taken != freed)
    atomic_fetch_add(&m->held, taken - freed);
  return state;
}

/* Put an item that has ended on the stack of those. */
static void stack(map *m, map_link *link) {
  link->next = atomic_load_explicit(&m->ended, memory_order_relaxed);
  while (!atomic_compare_exchange_weak(&m->ended, &link->next, link))
    ;
}

bool map_end_item(map *m, map_segment *segment, unsigned place,
                  fut_state state) {
  atomic_store(&segment->items[place].state, (unsigned char)state);
  if (segment->links)
    stack(m, &segment->links[place]);
  long long wanted = atomic_load(&m->wanted);
  return wanted != NOT_WANTED &&
         (wanted == ANY_WANTED ||
          (uint64_t)wanted == segment->first + place + 1);
}

/* End an item that no worker will start. */
static bool refuse(map *m, map_segment *segment, unsigned place, fut_err why,
                   const char *message) {
  content *held = &segment->items[place].content;
  atomic_fetch_sub(&m->held, content_drop(held));
  fut_executor_count(m->executor, why ? FUT_FAILED : FUT_CANCELLED, 1);
  if (why == FUT_OK)
    return map_end_item(m, segment, place, FUT_CANCELLED);
  wire_message outcome;
  wire_message_init(&outcome);
  if (!job_put_failure(&outcome, why, message) ||
      content_take(held, &outcome) == SIZE_MAX)
    content_put_no_memory(held);
  wire_message_fini(&outcome);
  return map_end_item(m, segment, place, FUT_FAILED);
}

void map_recount(map *m) {
  uint64_t count = 0;
  if (m->at && !m->given_up)
    count = m->announced - (m->at->first + m->place);
  uint64_t before = atomic_load_explicit(&m->idle, memory_order_relaxed);
  atomic_store_explicit(&m->idle, count, memory_order_relaxed);
  atomic_fetch_add(&m->executor->behind, (size_t)(count - before));
}

void map_give_up(map *m, fut_err why, const char *message) {
  bool wanted = false, whole;
  fut_mutex_lock(&m->mutex);
  m->given_up = true;
  map_recount(m);
  for (map_segment *s = m->items.first; s; s = s->next)
    for (unsigned i = 0; i < s->capacity && s->first + i < m->announced; i++)
      if (map_item_leave(&s->items[i], FUT_RUNNING, &whole))
        wanted |= refuse(m, s, i, why, message);
  fut_mutex_unlock(&m->mutex);
  if (wanted)
    map_arrive(m);
}
