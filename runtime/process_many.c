/* process_many.c - what a worker that is a process does with a call that stands
   for many things

   Each of them is begun by a step on the slot's word `share`, and leaves a
   frame in the slot as soon as it has ended: so the parent can have back what
   was not begun, and what has ended outlives the worker. */
#include "process_self.h"

#include "memory.h"

#include <string.h>

#define TELL_NS 200000 /* how often to say that something has ended */
#define FULL 64        /* with less space it is not worth beginning another */

/* Begin the next of them, unless the parent has had it back. */
static bool begin_next(fut_process_self *self, unsigned number) {
  _Atomic uint64_t *share = &fut_process_self_slot(self)->share;
  uint64_t seen = atomic_load(share);
  do
    if (fut_slot_generation(seen) != self->generation ||
        number >= fut_share_end(seen))
      return false;
  while (!atomic_compare_exchange_weak(
      share, &seen,
      fut_slot_share(self->generation, number + 1, fut_share_end(seen))));
  return true;
}

static size_t frame_size(const fut_process_outcome *outcome) {
  return FUT_FRAME_HEAD + (outcome->stopped ? 0 : outcome->size);
}

static void write_frame(unsigned char *bytes,
                        const fut_process_outcome *outcome) {
  uint32_t size = (uint32_t)(frame_size(outcome) - FUT_FRAME_HEAD);
  memcpy(bytes, &size, sizeof size);
  bytes[4] = (unsigned char)fut_process_outcome_kind(outcome);
  if (size > 0)
    memcpy(bytes + FUT_FRAME_HEAD, outcome->bytes, size);
}

/* Send the frames in the slot, which stay there, with one more that does not
   fit: false if memory ran out. Blocks. */
static bool send_frames(fut_process_self *self, size_t filled,
                        const fut_process_outcome *outcome) {
  fut_slot *slot = fut_process_self_slot(self);
  size_t size = filled + frame_size(outcome);
  unsigned char *bytes =
      outcome->size < UINT32_MAX ? fut_memory_new(size) : NULL;
  if (bytes == NULL)
    return false;
  memcpy(bytes, slot->bytes, filled);
  write_frame(bytes + filled, outcome);
  atomic_store(&slot->size, size);
  fut_process_self_send(self, bytes, size);
  fut_memory_free(bytes);
  return true;
}

/* Leave a frame of the outcome of the thing of that number; *filled are the
   bytes of those before. Return whether there is room for more. */
static bool leave_frame(fut_process_self *self, unsigned number,
                        fut_process_outcome *outcome, size_t *filled) {
  fut_slot *slot = fut_process_self_slot(self);
  bool fits = frame_size(outcome) <= FUT_SLOT_SPACE - *filled;
  if (!fits && send_frames(self, *filled, outcome))
    return false;
  if (!fits) { /* no memory for that: which is what the frame says */
    size_t at = 0;
    *outcome = (fut_process_outcome){.failed = true};
    self->ops->run_next(self->local, NULL, &at, outcome);
  }
  write_frame(slot->bytes + *filled, outcome);
  *filled += frame_size(outcome);
  atomic_store(&slot->size, *filled);
  atomic_store(&slot->framed, (uint64_t)(number + 1) << 32 | *filled);
  return FUT_SLOT_SPACE - *filled >= FULL;
}

void fut_process_self_run_many(fut_process_self *self, const fut_call *call,
                               bool go) {
  fut_slot *slot = fut_process_self_slot(self);
  size_t filled = 0, at = 0;
  unsigned number = 0;
  fut_deadline rung = self->since;
  atomic_store(&slot->size, 0);
  atomic_store(&self->seat->many, self->at + 1);
  for (bool more = go; more && begin_next(self, number); number++) {
    fut_process_outcome outcome = {.stopped = false};
    self->ops->run_next(self->local, call, &at, &outcome);
    more = leave_frame(self, number, &outcome, &filled);
    fut_process_self_settle(self);
    fut_deadline now = fut_clock_now();
    if (more && now - rung > TELL_NS) { /* somebody may wait for just these */
      fut_process_self_ring_waiting(self);
      rung = now;
    }
    if (atomic_load(&self->segment->slots[self->at].word) & FUT_SLOT_STOP)
      more = false;
  }
  atomic_store(&self->seat->many, 0);
  slot->ended = (uint16_t)number;
  slot->took = fut_clock_now() - self->since;
  fut_process_self_end(self);
}
