/* process_run.c - what a worker that is a process does with a task

   It makes the call, makes the slot DONE, and tells the parent if somebody
   there wants to know. */
#include "process_self.h"

#include "memory.h"

#include <string.h>
#include <unistd.h>

#define BRIEF_NS 10000 /* after shorter tasks it pays to linger */
#define CALL_KEPT ((size_t)1 << 20)

/* Get the call from the stream: false if memory ran out. Blocks. */
static bool fetch_call(fut_process_self *self, size_t size) {
  fut_seat *seat = self->seat;
  if (size > self->call_capacity) {
    fut_memory_free(self->call);
    self->call = fut_memory_new(size);
    self->call_capacity = self->call ? size : 0;
  }
  bool room = self->call != NULL;
  size_t got = 0;
  atomic_store(&seat->incoming, self->at + 1);
  fut_process_self_ring_parent(self);
  while (got < size) {
    unsigned rung = fut_bell_rung(&seat->bell);
    size_t more = fut_stream_get(&self->streams->calls, &self->call_position,
                                 room ? self->call + got : NULL, size - got);
    got += more;
    if (got == size)
      break;
    if (more > 0)
      fut_process_self_ring_parent(self); /* there is room for more */
    else
      fut_bell_wait(&seat->bell, &self->cord, rung, FUT_NEVER);
  }
  atomic_store(&seat->incoming, 0);
  return room;
}

void fut_process_self_send(fut_process_self *self, const unsigned char *bytes,
                           size_t size) {
  fut_seat *seat = self->seat;
  size_t put = 0;
  atomic_store(&seat->outgoing, self->at + 1);
  for (;;) {
    unsigned rung = fut_bell_rung(&seat->bell);
    size_t more =
        fut_stream_put(&self->streams->outcomes, &self->outcome_position,
                       bytes + put, size - put);
    put += more;
    if (put == size)
      break;
    fut_process_self_ring_parent(self);
    if (more == 0)
      fut_bell_wait(&seat->bell, &self->cord, rung, FUT_NEVER);
  }
  atomic_store(&seat->outgoing, 0);
}

/* Make the slot DONE and say so. */
static void finish(fut_process_self *self) {
  fut_seat *seat = self->seat;
  fut_slot *slot = fut_process_self_slot(self);
  _Atomic uint64_t *word = &self->segment->slots[self->at].word;
  uint64_t running =
      fut_slot_word(self->generation, FUT_SLOT_RUNNING, self->number);
  uint64_t done = fut_slot_word(self->generation, FUT_SLOT_DONE, self->number);
  /* before anybody can know that it is done: who then has another task finds
     us searching, and needs no other worker */
  fut_process_self_search_ahead(self);
  bool many = slot->things > 0;
  uint64_t seen = running;
  /* the parent may add STOP meanwhile, or take the task */
  while (!atomic_compare_exchange_weak(word, &seen, done))
    while ((seen & ~FUT_SLOT_STOP) != running)
      pause(); /* it was taken from us: we are about to be killed */
  unsigned count = atomic_load_explicit(&seat->done_count,
                                        memory_order_relaxed); /* our own */
  /* relaxed: published by done_count */
  atomic_store_explicit(&seat->done[count % FUT_SLOTS], (uint16_t)self->at,
                        memory_order_relaxed);
  atomic_store(&seat->done_count, count + 1);
  /* whoever begins to watch it then looks whether it is done. The slot may be
     another task's already: then somebody is told too much. */
  if (atomic_load(&slot->watched) ||
      atomic_load(&self->segment->phase) != FUT_PHASE_OPEN)
    fut_process_self_ring_parent(self);
  else if (many) /* nobody watches its future, but some of what it has done */
    fut_process_self_ring_waiting(self);
}

void fut_process_self_settle(fut_process_self *self) {
  if (self->ops->settle)
    self->ops->settle(self->local);
}

static void run_one(fut_process_self *self, const fut_call *call, bool go) {
  fut_slot *slot = fut_process_self_slot(self);
  fut_process_outcome outcome = {.stopped = !go};
  if (go)
    self->ops->run(self->local, call, &outcome);
  fut_process_self_end(self);
  slot->outcome = (uint8_t)fut_process_outcome_kind(&outcome);
  size_t size = outcome.stopped ? 0 : outcome.size;
  /* relaxed: published by the word, or by outgoing */
  atomic_store_explicit(&slot->size, size, memory_order_relaxed);
  if (size > FUT_SLOT_SPACE)
    fut_process_self_send(self, outcome.bytes, size);
  else if (size > 0)
    memcpy(slot->bytes, outcome.bytes, size);
  fut_process_self_settle(self);
}

/* Have the bytes of a call that lies in the slot elsewhere: false if memory ran
   out. */
static bool copy_call(fut_process_self *self, const unsigned char *bytes,
                      size_t size) {
  if (size > self->call_capacity) {
    fut_memory_free(self->call);
    self->call = fut_memory_new(FUT_SLOT_SPACE);
    self->call_capacity = self->call ? FUT_SLOT_SPACE : 0;
  }
  if (self->call)
    memcpy(self->call, bytes, size);
  return self->call != NULL;
}

void fut_process_self_run(fut_process_self *self) {
  fut_slot *slot = fut_process_self_slot(self);
  bool go = fut_process_self_begin(self);
  char name[FUT_SLOT_SPACE / 4 + 1];
  size_t name_size =
      slot->name_size < sizeof name ? slot->name_size : sizeof name - 1;
  memcpy(name, slot->bytes, name_size);
  name[name_size] = '\0';
  fut_call call = {.name = name_size ? name : NULL,
                   .bytes = slot->bytes + name_size,
                   .size = (size_t)atomic_load(&slot->size)};
  bool there = true;
  if (call.size > FUT_SLOT_SPACE - name_size) {
    there = fetch_call(self, call.size);
    call.bytes = self->call;
  } else if (slot->things > 0) {
    there = copy_call(self, call.bytes, call.size);
    call.bytes = self->call;
  }
  if (!there)
    call = (fut_call){.name = NULL}; /* no bytes: no memory for them */
  if (slot->things > 0)
    fut_process_self_run_many(self, &call, go);
  else
    run_one(self, &call, go);
  if (self->call_capacity > CALL_KEPT) {
    fut_memory_free(self->call);
    self->call = NULL;
    self->call_capacity = 0;
  }
  fut_deadline now = fut_clock_now();
  fut_seat *seat = self->seat;
  atomic_store_explicit(
      &seat->run_time,
      atomic_load_explicit(&seat->run_time, memory_order_relaxed) +
          (uint64_t)(now - self->since),
      memory_order_relaxed); /* statistics only */
  self->brief = now - self->since < BRIEF_NS;
  self->since = now;
  atomic_store_explicit(&seat->memory, self->ops->memory(self->local),
                        memory_order_relaxed); /* the same */
  finish(self);
}
