/* slots_many.c - slots whose task is many: lent, delivered, had back, settled

   Of what a worker writes here, nothing is believed but that so many frames
   are there, and no more than were lent. */
#include "slots_many.h"

#include <string.h>

void fut_slots_share(fut_slots *slots, unsigned at, unsigned things) {
  fut_handed *handed = &slots->handed[at];
  fut_slot *slot = &slots->segment->slots[at];
  handed->things = things;
  slot->things = (uint16_t)things;
  slots->many += things > 1;
  if (things == 0)
    return;
  handed->since = fut_clock_now();
  handed->delivered = 0;
  handed->frames = 0;
  slot->ended = 0;
  slot->took = 0;
  /* relaxed, both: published by the word */
  atomic_store_explicit(&slot->share,
                        fut_slot_share(handed->generation, 0, things),
                        memory_order_relaxed);
  atomic_store_explicit(&slot->framed, 0, memory_order_relaxed);
}

fut_deadline fut_slots_since(const fut_slots *slots, unsigned at) {
  const fut_handed *handed = &slots->handed[at];
  if (handed->task == NULL || handed->things < 2 ||
      fut_slot_state(fut_slots_word(slots, at)) != FUT_SLOT_RUNNING)
    return FUT_NEVER;
  const fut_slot *slot = &slots->segment->slots[at];
  if (fut_share_started(atomic_load(&slot->share)) >= handed->things)
    return FUT_NEVER;
  int64_t started = atomic_load(&slot->started);
  return started > handed->since ? started : handed->since;
}

bool fut_slots_cut(fut_slots *slots, unsigned at, fut_deadline before) {
  fut_handed *handed = &slots->handed[at];
  if (fut_slots_since(slots, at) >= before)
    return false;
  _Atomic uint64_t *word = &slots->segment->slots[at].share;
  uint64_t seen = atomic_load(word);
  unsigned begun;
  do {
    begun = fut_share_started(seen);
    if (fut_slot_generation(seen) != handed->generation ||
        begun >= handed->things)
      return false;
  } while (!atomic_compare_exchange_weak(
      word, &seen, fut_slot_share(handed->generation, begun, begun)));
  slots->many -= begun < 2;
  handed->things = begun;
  fut_task_kind_of(handed->task)->recall(handed->task, begun);
  return true;
}

/* Deliver what so many things have left, of which some were delivered before.
 */
static void deliver(fut_slots *slots, unsigned at, unsigned things,
                    const unsigned char *frames, size_t size) {
  fut_handed *handed = &slots->handed[at];
  if (things <= handed->delivered || size < handed->frames)
    return;
  fut_task_kind_of(handed->task)
      ->deliver(handed->task, things - handed->delivered,
                frames + handed->frames, size - handed->frames);
  handed->delivered = things;
  handed->frames = size;
}

void fut_slots_deliver(fut_slots *slots, unsigned at) {
  const fut_slot *slot = &slots->segment->slots[at];
  uint64_t framed = atomic_load(&slot->framed);
  unsigned things = (unsigned)(framed >> 32);
  size_t size = (size_t)(framed & 0xffffffffu);
  unsigned char frames[FUT_SLOT_SPACE]; /* a worker may write to the others */
  const fut_handed *handed = &slots->handed[at];
  if (things <= handed->delivered || things > handed->things ||
      size > FUT_SLOT_SPACE)
    return;
  memcpy(frames, slot->bytes, size);
  deliver(slots, at, things, frames, size);
}

/* Let go of a task that is many. */
static void settle(fut_slots *slots, unsigned at, const fut_lent *lent) {
  fut_task *task = fut_slots_release(slots, at);
  fut_task_kind_of(task)->settle(task, lent);
  fut_future_end(&task->future, FUT_FINISHED);
  fut_future_release(&task->future, NULL);
}

void fut_slots_collect_many(fut_slots *slots, unsigned at) {
  const fut_slot *slot = &slots->segment->slots[at];
  const fut_handed *handed = &slots->handed[at];
  unsigned ended = slot->ended;
  fut_lent lent = {.started = ended < handed->things ? ended : handed->things,
                   .why = FUT_ENOMEM,
                   .took = slot->took};
  if (handed->size == 0)
    fut_slots_deliver(slots, at);
  else if (handed->room && handed->received == handed->size)
    deliver(slots, at, lent.started, handed->room, handed->received);
  if (lent.took > 0)
    slots->many_took += (lent.took - slots->many_took) / 8;
  settle(slots, at, &lent);
}

void fut_slots_salvage_many(fut_slots *slots, unsigned at, fut_err why,
                            const char *message) {
  const fut_handed *handed = &slots->handed[at];
  unsigned begun =
      fut_share_started(atomic_load(&slots->segment->slots[at].share));
  fut_lent lent = {.started = begun < handed->things ? begun : handed->things,
                   .why = why,
                   .message = message};
  fut_slots_deliver(slots, at);
  settle(slots, at, &lent);
}
