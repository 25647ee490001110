/* process_guardian.c - a thread beside the tasks of a worker process

   It ends the process when the parent has ended, and stops the task under way
   when the parent wants that. */
#include "process_self.h"

#include "thread.h"

#include <unistd.h>

#define HELD UINT64_MAX

bool fut_process_self_begin(fut_process_self *self) {
  fut_slot *slot = fut_process_self_slot(self);
  /* relaxed: who sees the task run a moment too early takes its own time */
  atomic_store_explicit(&slot->started,
                        slot->tell ? fut_clock_now() : self->since,
                        memory_order_relaxed);
  atomic_store(&self->current,
               (uint64_t)self->generation << 32 | (self->at + 1));
  if (slot->tell)
    fut_process_self_ring_parent(self);
  /* who asks later than this finds it under way */
  return !(atomic_load(&self->segment->slots[self->at].word) & FUT_SLOT_STOP);
}

void fut_process_self_end(fut_process_self *self) {
  for (;;) {
    uint64_t current = atomic_load(&self->current);
    if (current != HELD &&
        atomic_compare_exchange_strong(&self->current, &current, 0))
      return;
    fut_thread_relax();
  }
}

static void stop_current(fut_process_self *self) {
  uint64_t current = atomic_load(&self->current);
  if (current == 0 || current == HELD)
    return;
  unsigned at = (unsigned)(current & 0xffffffffu) - 1;
  uint64_t word = atomic_load(&self->segment->slots[at].word);
  if (!(word & FUT_SLOT_STOP) || fut_slot_generation(word) != current >> 32 ||
      !atomic_compare_exchange_strong(&self->current, &current, HELD))
    return;
  self->ops->stop(self->local);
  atomic_store(&self->current, current);
}

void fut_process_self_guard(void *argument) {
  fut_process_self *self = argument;
  while (fut_process_watch_parent(self->parent, self->stop.readable) ==
         FUT_EAGAIN) {
    fut_event_clear(&self->stop);
    if (self->ops->stop)
      stop_current(self);
  }
  _exit(1);
}
