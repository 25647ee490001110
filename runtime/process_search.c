/* process_search.c - how a worker that is a process finds its next task

   It takes a ticket. When it finds none it looks for tasks whose tickets are
   lost, as happens with workers that die; then it looks around for a moment and
   sleeps on the bell of its seat. Before it sleeps it says so, then looks
   again; the parent hands out, then looks who sleeps: one of both sees the
   other. */
#include "process_self.h"

#include "thread.h"

#define LOOK_NS 25000
#define SKIP_LIMIT 256
#define LINGER_PAUSES 100 /* some microseconds */
#define LINGER_BACKLOG 10
#define LINGER_TASKS 4
#define LINGER_SKIP_LIMIT 63

/* Make the slot RUNNING if it is READY; of that generation, unless any will
   do. */
static bool claim(fut_process_self *self, unsigned at, uint64_t word) {
  if (at >= FUT_SLOTS || fut_slot_state(word) != FUT_SLOT_READY)
    return false;
  uint32_t generation = fut_slot_generation(word);
  uint64_t ready = fut_slot_word(generation, FUT_SLOT_READY, 0);
  uint64_t running = fut_slot_word(generation, FUT_SLOT_RUNNING, self->number);
  if (!atomic_compare_exchange_strong(&self->segment->slots[at].word, &ready,
                                      running))
    return false;
  self->at = at;
  self->generation = generation;
  return true;
}

static unsigned tickets_left(fut_process_self *self) {
  fut_tickets *tickets = &self->segment->tickets;
  unsigned taken = atomic_load(&tickets->taken);
  return atomic_load(&tickets->fed) - taken;
}

static uint64_t ticket(const fut_tickets *tickets, unsigned number) {
  /* relaxed: published by fed */
  return atomic_load_explicit(&tickets->words[number % FUT_SLOTS],
                              memory_order_relaxed);
}

/* Have the slot of the next ticket at hand: it is ours most probably. */
static void prefetch_next(fut_process_self *self, unsigned number,
                          unsigned fed) {
  if (number != fed) {
    uint64_t word = ticket(&self->segment->tickets, number);
    fut_slot_prefetch(&self->segment->slots[fut_slot_seat(word) % FUT_SLOTS]);
  }
}

/* Take tickets until one is good. */
static bool take(fut_process_self *self) {
  fut_tickets *tickets = &self->segment->tickets;
  unsigned taken = atomic_load(&tickets->taken);
  unsigned fed;
  /* more than there can be: the parent sets that right */
  while ((fed = atomic_load(&tickets->fed)) - taken - 1 < FUT_SLOTS) {
    uint64_t word = ticket(tickets, taken);
    /* relaxed: published by the step on taken */
    atomic_store_explicit(&self->seat->taking, word, memory_order_relaxed);
    if (atomic_compare_exchange_weak(&tickets->taken, &taken, taken + 1)) {
      if (claim(self, fut_slot_seat(word), word)) {
        prefetch_next(self, taken + 1, fed);
        return true;
      }
      taken = atomic_load(&tickets->taken);
    }
  }
  return false;
}

/* Do what others have taken a ticket for and do not come to: they may have been
   stopped just then. */
static bool take_over(fut_process_self *self) {
  for (unsigned i = 0; i < self->segment->seats; i++) {
    uint64_t word = atomic_load(&self->segment->seat[i].taking);
    unsigned at = fut_slot_seat(word);
    if (i != self->number && at < FUT_SLOTS &&
        fut_slot_state(atomic_load(&self->segment->slots[at].word)) ==
            FUT_SLOT_READY &&
        claim(self, at, word))
      return true;
  }
  return false;
}

/* Look everywhere: for a ticket, then for tasks whose tickets are lost. */
static bool search(fut_process_self *self) {
  if (take(self) || take_over(self))
    return true;
  if (!atomic_load(&self->segment->lost))
    return false;
  for (unsigned at = 0; at < FUT_SLOTS; at++) {
    uint64_t word = atomic_load(&self->segment->slots[at].word);
    /* one that was handed out before it may have come meanwhile: with a ticket
     */
    if (fut_slot_state(word) == FUT_SLOT_READY &&
        (take(self) || claim(self, at, word)))
      return true;
  }
  return false;
}

/* Whether more want to run than there are CPUs, somebody in the parent among
   them. */
static bool crowded(fut_process_self *self) {
  const fut_segment *segment = self->segment;
  unsigned awake = 1;
  for (unsigned i = 0; i < segment->seats; i++) {
    unsigned state = atomic_load(&segment->seat[i].state);
    awake += state == FUT_SEAT_BUSY || state == FUT_SEAT_SEARCHING;
  }
  return awake > segment->cpus;
}

/* Look around for a moment, if that pays: as spin.c does. */
static bool look_around(fut_process_self *self) {
  if (self->left > 0) {
    self->left--;
    return false;
  }
  if (crowded(self))
    return false;
  fut_deadline until = fut_clock_now() + LOOK_NS;
  do {
    if (take(self)) {
      self->skip = 0;
      return true;
    }
    for (int i = 0; i < 8; i++)
      fut_thread_relax();
  } while (fut_clock_now() < until);
  if (self->skip < SKIP_LIMIT)
    self->skip = self->skip ? 2 * self->skip : 1;
  self->left = self->skip;
  return false;
}

/* More waits than we can do: see that somebody searches. */
static void call_help(fut_process_self *self) {
  static const fut_bell_cord none = {-1, -1};
  fut_segment *segment = self->segment;
  for (unsigned i = 0; i < segment->seats; i++) {
    unsigned state = atomic_load(&segment->seat[i].state);
    if (state == FUT_SEAT_SEARCHING)
      return;
    if (state == FUT_SEAT_ASLEEP && fut_bell_cordless() &&
        atomic_compare_exchange_strong(&segment->seat[i].state, &state,
                                       FUT_SEAT_SEARCHING)) {
      fut_bell_ring(&segment->seat[i].bell, &none);
      return;
    }
    if (state == FUT_SEAT_ASLEEP || state == FUT_SEAT_EMPTY) {
      fut_process_self_ring_keeper(self);
      return;
    }
  }
}

/* Sleep until the parent wants us, and be SEARCHING again; false if nobody did
   for too long. */
static bool sleep_idle(fut_process_self *self) {
  fut_seat *seat = self->seat;
  int64_t patience = self->segment->idle_timeout;
  fut_deadline now = fut_clock_now();
  fut_deadline deadline =
      patience < FUT_NEVER - now ? now + patience : FUT_NEVER;
  unsigned rung = fut_bell_rung(&seat->bell);
  atomic_store(&seat->state, FUT_SEAT_ASLEEP);
  if (atomic_load(&self->segment->backlog) || atomic_load(&self->segment->lent))
    /* it finds us asleep when it hands out */
    fut_process_self_ring_keeper(self);
  /* the last look: for the work, and for the end */
  bool stay =
      atomic_load(&self->segment->phase) == FUT_PHASE_CLOSED || search(self);
  for (;;) {
    unsigned asleep = FUT_SEAT_ASLEEP;
    if (stay) {
      atomic_compare_exchange_strong(&seat->state, &asleep, FUT_SEAT_SEARCHING);
      return true;
    }
    fut_bell_wait(&seat->bell, &self->cord, rung, deadline);
    rung = fut_bell_rung(&seat->bell);
    if (atomic_load(&seat->state) != FUT_SEAT_ASLEEP)
      return true;
    stay = atomic_load(&self->segment->phase) == FUT_PHASE_CLOSED;
    if (!stay && fut_deadline_left(deadline) == 0 &&
        atomic_compare_exchange_strong(&seat->state, &asleep, FUT_SEAT_RETIRED))
      return false;
  }
}

/* Whether another worker could be woken, or started. */
static bool others_rest(fut_process_self *self) {
  const fut_segment *segment = self->segment;
  for (unsigned i = 0; i < segment->seats; i++) {
    unsigned state = atomic_load(&segment->seat[i].state);
    if (state == FUT_SEAT_ASLEEP || state == FUT_SEAT_EMPTY)
      return true;
  }
  return false;
}

/* A task was found: whoever relied on our search sees us busy now, or we see
   its ticket, or that there is a backlog. */
static void found(fut_process_self *self) {
  self->searching = false;
  atomic_store(&self->seat->state, FUT_SEAT_BUSY);
  self->since = fut_clock_now();
  if (tickets_left(self) > 0)
    call_help(self);
  else if (atomic_load(&self->segment->backlog) && others_rest(self))
    fut_process_self_ring_keeper(self);
}

static void search_now(fut_process_self *self) {
  self->searching = true;
  atomic_store(&self->seat->state, FUT_SEAT_SEARCHING);
}

static bool untidy(fut_process_self *self) {
  return self->ops->untidy && self->ops->untidy(self->local);
}

void fut_process_self_search_ahead(fut_process_self *self) {
  if (tickets_left(self) == 0 && !untidy(self))
    search_now(self);
}

/* Pause for an instant: more will have gathered then, and a sleep would take
   longer. Where only one had, as when somebody waits for each task before the
   next, the pause is left out more and more often. */
static void linger(fut_process_self *self) {
  if (self->linger_left > 0) {
    self->linger_left--;
    return;
  }
  int pauses = LINGER_PAUSES;
  if (atomic_load(&self->segment->backlog)) /* somebody is submitting */
    pauses *= LINGER_BACKLOG;
  for (int i = 0; i < pauses && tickets_left(self) < LINGER_TASKS; i++)
    fut_thread_relax();
  if (tickets_left(self) > 1)
    self->linger_skip = 0;
  else if (self->linger_skip < LINGER_SKIP_LIMIT)
    self->linger_skip = 2 * self->linger_skip + 1;
  self->linger_left = self->linger_skip;
}

/* Tidy up until that is done or there is a task. We are BUSY meanwhile: it may
   take longer than it should. */
static void tidy(fut_process_self *self) {
  const fut_segment *segment = self->segment;
  if (!untidy(self))
    return;
  while (untidy(self) && tickets_left(self) == 0 &&
         !atomic_load(&segment->backlog) && !atomic_load(&segment->lent) &&
         atomic_load(&segment->phase) == FUT_PHASE_OPEN) {
    self->ops->tidy(self->local);
    /* relaxed: statistics only */
    atomic_store_explicit(&self->seat->memory, self->ops->memory(self->local),
                          memory_order_relaxed);
  }
  self->since = fut_clock_now(); /* that was no task */
}

bool fut_process_self_next(fut_process_self *self) {
  self->at = FUT_SLOTS;
  if (!self->searching)
    tidy(self);
  if (atomic_load(&self->segment->backlog) &&
      tickets_left(self) < atomic_load(&self->segment->hungry))
    fut_process_self_ring_keeper(self);
  if (!self->searching && take(self))
    return true;
  search_now(self);
  if (self->brief)
    linger(self);
  if (tickets_left(self) == 0 && atomic_load(&self->segment->backlog))
    fut_process_self_ring_keeper(self); /* whoever left it may not come soon */
  while (!take(self) && !look_around(self) && !search(self)) {
    if (atomic_load(&self->segment->phase) == FUT_PHASE_CLOSED) {
      atomic_store(&self->seat->state, FUT_SEAT_RETIRED);
      return false;
    }
    if (!sleep_idle(self))
      return false;
    if (self->at != FUT_SLOTS) /* found in the last look */
      break;
  }
  found(self);
  return true;
}
