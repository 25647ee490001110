/* process_worker.c - a worker that is a process: its life there

   It takes a ticket, makes the slot RUNNING, calls, makes it DONE, and tells
   the parent if somebody there wants to know. When it finds no ticket it looks
   through all words, for tickets get lost with workers that die; then it looks
   around for a moment and sleeps on the bell of its seat. Before it sleeps it
   says so, then looks again; the parent hands out, then looks who sleeps: one
   of both sees the other. */
#include "process_worker.h"

#include "check.h"
#include "doorbell.h"
#include "event.h"
#include "memory.h"
#include "segment.h"
#include "shared.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_NS 25000
#define SKIP_LIMIT 256
#define BRIEF_NS 10000    /* after shorter tasks it pays to linger */
#define LINGER_PAUSES 100 /* some microseconds */
#define LINGER_TASKS 4
#define LINGER_SKIP_LIMIT 63
#define CALL_KEPT ((size_t)1 << 20)
#define HUNGRY                                                                 \
  (FUT_SLOTS / 4) /* with fewer tickets the parent hands out more */

enum { SEGMENT, STREAMS, EVENT, DOORBELL, CORD, STOP, LEASE };

struct worker {
  fut_segment *segment;
  fut_seat *seat;
  unsigned number; /* of the seat */
  pid_t parent;
  fut_seat_streams *streams;
  uint64_t call_position, outcome_position;
  fut_event event; /* wakes the keeper */
  fut_event stop;  /* wakes our guardian */
  fut_bell_cord cord;
  fut_doorbell *doorbell; /* NULL: none */
  const fut_process_worker_ops *ops;
  fut_process_local *local;
  bool searching;      /* our state is SEARCHING */
  bool brief;          /* the last task was */
  unsigned at;         /* the slot of the task under way; FUT_SLOTS: none */
  uint32_t generation; /* of that */
  unsigned char *call; /* of a task that came by the stream */
  size_t call_capacity;
  unsigned skip, left; /* sleeps to go without looking around before */
  unsigned linger_skip, linger_left; /* the same of lingering */
  fut_deadline since; /* when the last task ended, or this one was found */
  _Atomic uint64_t current; /* atomic: 1 + the slot of the task under way and
                               its generation, 0: none, HELD: the guardian is
                               at it, which is short */
};

#define HELD UINT64_MAX

/* --- telling the parent ------------------------------------------------------
 */

/* Wake the keeper, unless it is awake. Two may do so at a time: nobody relies
   on another, which may be stopped or killed before it has. */
static void ring_keeper(struct worker *worker) {
  if (atomic_load(&worker->segment->parent_asleep))
    fut_event_set(&worker->event);
}

/* Wake a thread that waits, which then does what there is to do, or else the
   keeper. */
static void ring_parent(struct worker *worker) {
  if (worker->doorbell && atomic_load(&worker->doorbell->asleep) > 0)
    fut_doorbell_ring(worker->doorbell);
  else
    ring_keeper(worker);
}

/* --- looking for a task ------------------------------------------------------
 */

/* Make the slot RUNNING if it is READY; of that generation, unless any will
   do. */
static bool claim(struct worker *worker, unsigned at, uint64_t word) {
  if (at >= FUT_SLOTS || fut_slot_state(word) != FUT_SLOT_READY)
    return false;
  uint32_t generation = fut_slot_generation(word);
  uint64_t ready = fut_slot_word(generation, FUT_SLOT_READY, 0);
  uint64_t running =
      fut_slot_word(generation, FUT_SLOT_RUNNING, worker->number);
  if (!atomic_compare_exchange_strong(&worker->segment->words[at], &ready,
                                      running))
    return false;
  worker->at = at;
  worker->generation = generation;
  return true;
}

static unsigned tickets_left(struct worker *worker) {
  fut_tickets *tickets = &worker->segment->tickets;
  unsigned taken = atomic_load(&tickets->taken);
  return atomic_load(&tickets->fed) - taken;
}

/* Take tickets until one is good. */
static bool take(struct worker *worker) {
  fut_tickets *tickets = &worker->segment->tickets;
  unsigned taken = atomic_load(&tickets->taken);
  /* more than there can be: the parent sets that right */
  while (atomic_load(&tickets->fed) - taken - 1 < FUT_SLOTS) {
    uint64_t word = atomic_load(&tickets->words[taken % FUT_SLOTS]);
    if (atomic_compare_exchange_weak(&tickets->taken, &taken, taken + 1)) {
      if (claim(worker, fut_slot_seat(word), word))
        return true;
      taken = atomic_load(&tickets->taken);
    }
  }
  return false;
}

/* Look through all words: tickets may be lost. */
static bool search(struct worker *worker) {
  for (unsigned at = 0; at < FUT_SLOTS; at++) {
    uint64_t word = atomic_load(&worker->segment->words[at]);
    /* one that was handed out before it may have come meanwhile: with a ticket
     */
    if (fut_slot_state(word) == FUT_SLOT_READY &&
        (take(worker) || claim(worker, at, word)))
      return true;
  }
  return false;
}

/* Whether more want to run than there are CPUs, somebody in the parent among
   them. */
static bool crowded(struct worker *worker) {
  const fut_segment *segment = worker->segment;
  unsigned awake = 1;
  for (unsigned i = 0; i < segment->seats; i++) {
    unsigned state = atomic_load(&segment->seat[i].state);
    awake += state == FUT_SEAT_BUSY || state == FUT_SEAT_SEARCHING;
  }
  return awake > segment->cpus;
}

/* Look around for a moment, if that pays: as spin.c does. */
static bool look_around(struct worker *worker) {
  if (worker->left > 0) {
    worker->left--;
    return false;
  }
  if (crowded(worker))
    return false;
  fut_deadline until = fut_clock_now() + LOOK_NS;
  do {
    if (take(worker)) {
      worker->skip = 0;
      return true;
    }
    for (int i = 0; i < 8; i++)
      fut_thread_relax();
  } while (fut_clock_now() < until);
  if (worker->skip < SKIP_LIMIT)
    worker->skip = worker->skip ? 2 * worker->skip : 1;
  worker->left = worker->skip;
  return false;
}

/* More waits than we can do: see that somebody searches. */
static void call_help(struct worker *worker) {
  static const fut_bell_cord none = {-1, -1};
  fut_segment *segment = worker->segment;
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
      ring_keeper(worker);
      return;
    }
  }
}

/* Sleep until the parent wants us, and be SEARCHING again; false if nobody did
   for too long. */
static bool sleep_idle(struct worker *worker) {
  fut_seat *seat = worker->seat;
  int64_t patience = worker->segment->idle_timeout;
  fut_deadline now = fut_clock_now();
  fut_deadline deadline =
      patience < FUT_NEVER - now ? now + patience : FUT_NEVER;
  unsigned rung = fut_bell_rung(&seat->bell);
  atomic_store(&seat->state, FUT_SEAT_ASLEEP);
  if (atomic_load(&worker->segment->backlog))
    ring_keeper(worker); /* it finds us asleep when it hands out */
  /* the last look: for the work, and for the end */
  bool stay = atomic_load(&worker->segment->phase) == FUT_PHASE_CLOSED ||
              search(worker);
  for (;;) {
    unsigned asleep = FUT_SEAT_ASLEEP;
    if (stay) {
      atomic_compare_exchange_strong(&seat->state, &asleep, FUT_SEAT_SEARCHING);
      return true;
    }
    fut_bell_wait(&seat->bell, &worker->cord, rung, deadline);
    rung = fut_bell_rung(&seat->bell);
    if (atomic_load(&seat->state) != FUT_SEAT_ASLEEP)
      return true;
    stay = atomic_load(&worker->segment->phase) == FUT_PHASE_CLOSED;
    if (!stay && fut_deadline_left(deadline) == 0 &&
        atomic_compare_exchange_strong(&seat->state, &asleep, FUT_SEAT_RETIRED))
      return false;
  }
}

/* A task was found: whoever relied on our search sees us busy now, or we see
   its ticket. */
static void found(struct worker *worker) {
  worker->searching = false;
  atomic_store(&worker->seat->state, FUT_SEAT_BUSY);
  worker->since = fut_clock_now();
  if (tickets_left(worker) > 0)
    call_help(worker);
}

static void search_now(struct worker *worker) {
  worker->searching = true;
  atomic_store(&worker->seat->state, FUT_SEAT_SEARCHING);
}

/* Pause for an instant: more will have gathered then, and a sleep would take
   longer. Where only one had, as when somebody waits for each task before the
   next, the pause is left out more and more often. */
static void linger(struct worker *worker) {
  if (worker->linger_left > 0) {
    worker->linger_left--;
    return;
  }
  for (int i = 0; i < LINGER_PAUSES && tickets_left(worker) < LINGER_TASKS; i++)
    fut_thread_relax();
  if (tickets_left(worker) > 1)
    worker->linger_skip = 0;
  else if (worker->linger_skip < LINGER_SKIP_LIMIT)
    worker->linger_skip = 2 * worker->linger_skip + 1;
  worker->linger_left = worker->linger_skip;
}

/* Have the next task: false if the worker is to end. Blocks. */
static bool next(struct worker *worker) {
  worker->at = FUT_SLOTS;
  if (atomic_load(&worker->segment->backlog) && tickets_left(worker) < HUNGRY)
    ring_keeper(worker);
  if (!worker->searching && take(worker))
    return true;
  search_now(worker);
  if (worker->brief)
    linger(worker);
  while (!take(worker) && !look_around(worker) && !search(worker)) {
    if (atomic_load(&worker->segment->phase) == FUT_PHASE_CLOSED) {
      atomic_store(&worker->seat->state, FUT_SEAT_RETIRED);
      return false;
    }
    if (!sleep_idle(worker))
      return false;
    if (worker->at != FUT_SLOTS) /* found in the last look */
      break;
  }
  found(worker);
  return true;
}

/* --- running it --------------------------------------------------------------
 */

static fut_slot *slot_of(struct worker *worker) {
  return &worker->segment->slots[worker->at];
}

/* Get the call from the stream: false if memory ran out. Blocks. */
static bool fetch_call(struct worker *worker, size_t size) {
  fut_seat *seat = worker->seat;
  if (size > worker->call_capacity) {
    fut_memory_free(worker->call);
    worker->call = fut_memory_new(size);
    worker->call_capacity = worker->call ? size : 0;
  }
  bool room = worker->call != NULL;
  size_t got = 0;
  atomic_store(&seat->incoming, worker->at + 1);
  ring_parent(worker);
  while (got < size) {
    unsigned rung = fut_bell_rung(&seat->bell);
    size_t more =
        fut_stream_get(&worker->streams->calls, &worker->call_position,
                       room ? worker->call + got : NULL, size - got);
    got += more;
    if (got == size)
      break;
    if (more > 0)
      ring_parent(worker); /* there is room for more */
    else
      fut_bell_wait(&seat->bell, &worker->cord, rung, FUT_NEVER);
  }
  atomic_store(&seat->incoming, 0);
  return room;
}

/* Send what does not fit into the slot. Blocks. */
static void send_outcome(struct worker *worker, const unsigned char *bytes,
                         size_t size) {
  fut_seat *seat = worker->seat;
  size_t put = 0;
  atomic_store(&seat->outgoing, worker->at + 1);
  for (;;) {
    unsigned rung = fut_bell_rung(&seat->bell);
    size_t more =
        fut_stream_put(&worker->streams->outcomes, &worker->outcome_position,
                       bytes + put, size - put);
    put += more;
    if (put == size)
      break;
    ring_parent(worker);
    if (more == 0)
      fut_bell_wait(&seat->bell, &worker->cord, rung, FUT_NEVER);
  }
  atomic_store(&seat->outgoing, 0);
}

/* Make the slot DONE and say so. */
static void finish(struct worker *worker) {
  fut_seat *seat = worker->seat;
  fut_slot *slot = slot_of(worker);
  _Atomic uint64_t *word = &worker->segment->words[worker->at];
  uint64_t running =
      fut_slot_word(worker->generation, FUT_SLOT_RUNNING, worker->number);
  uint64_t done =
      fut_slot_word(worker->generation, FUT_SLOT_DONE, worker->number);
  /* before anybody can know that it is done: who then has another task finds
     us searching, and needs no other worker */
  if (tickets_left(worker) == 0)
    search_now(worker);
  uint64_t seen = running;
  /* the parent may add STOP meanwhile, or take the task */
  while (!atomic_compare_exchange_weak(word, &seen, done))
    while ((seen & ~FUT_SLOT_STOP) != running)
      pause(); /* it was taken from us: we are about to be killed */
  unsigned count = atomic_load(&seat->done_count);
  atomic_store(&seat->done[count % FUT_SLOTS], (uint16_t)worker->at);
  atomic_store(&seat->done_count, count + 1);
  /* whoever begins to watch it then looks whether it is done. The slot may be
     another task's already: then somebody is told too much. */
  if (atomic_load(&slot->watched) ||
      atomic_load(&worker->segment->phase) != FUT_PHASE_OPEN)
    ring_parent(worker);
}

/* Say which task is under way, for the guardian: false if it is to be stopped
   before it begins. */
static bool begin(struct worker *worker) {
  atomic_store(&worker->current,
               (uint64_t)worker->generation << 32 | (worker->at + 1));
  fut_slot *slot = slot_of(worker);
  atomic_store(&slot->started, slot->tell ? fut_clock_now() : worker->since);
  if (slot->tell)
    ring_parent(worker);
  /* who asks later than this finds it under way */
  return !(atomic_load(&worker->segment->words[worker->at]) & FUT_SLOT_STOP);
}

/* From here on the guardian does not touch the task. */
static void end(struct worker *worker) {
  for (;;) {
    uint64_t current = atomic_load(&worker->current);
    if (current != HELD &&
        atomic_compare_exchange_strong(&worker->current, &current, 0))
      return;
    fut_thread_relax();
  }
}

static void run(struct worker *worker) {
  fut_slot *slot = slot_of(worker);
  bool go = begin(worker);
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
    there = fetch_call(worker, call.size);
    call.bytes = worker->call;
  }
  if (!there)
    call = (fut_call){.name = NULL}; /* no bytes: no memory for them */
  fut_process_outcome outcome = {.stopped = !go};
  if (go)
    worker->ops->run(worker->local, &call, &outcome);
  end(worker);
  slot->outcome = outcome.stopped  ? FUT_OUTCOME_STOPPED
                  : outcome.failed ? FUT_OUTCOME_ERROR
                                   : FUT_OUTCOME_VALUES;
  size_t size = outcome.stopped ? 0 : outcome.size;
  atomic_store(&slot->size, size);
  if (size > FUT_SLOT_SPACE)
    send_outcome(worker, outcome.bytes, size);
  else if (size > 0)
    memcpy(slot->bytes, outcome.bytes, size);
  if (worker->ops->settle) /* the outcome may go with it */
    worker->ops->settle(worker->local);
  if (worker->call_capacity > CALL_KEPT) {
    fut_memory_free(worker->call);
    worker->call = NULL;
    worker->call_capacity = 0;
  }
  fut_deadline now = fut_clock_now();
  fut_seat *seat = worker->seat;
  atomic_store_explicit(
      &seat->run_time,
      atomic_load_explicit(&seat->run_time, memory_order_relaxed) +
          (uint64_t)(now - worker->since),
      memory_order_relaxed); /* statistics only */
  worker->brief = now - worker->since < BRIEF_NS;
  worker->since = now;
  atomic_store_explicit(&seat->memory, worker->ops->memory(worker->local),
                        memory_order_relaxed); /* the same */
  finish(worker);
}

static void work(struct worker *worker) {
  uint64_t tasks = 0;
  while (next(worker)) {
    run(worker);
    if (++tasks == worker->segment->max_tasks) {
      atomic_store(&worker->seat->state, FUT_SEAT_RETIRED);
      return;
    }
  }
}

/* --- the guardian ------------------------------------------------------------
   A thread that ends the process when the parent has ended, and stops the task
   under way when the parent wants that. */

static void stop_current(struct worker *worker) {
  uint64_t current = atomic_load(&worker->current);
  if (current == 0 || current == HELD)
    return;
  unsigned at = (unsigned)(current & 0xffffffffu) - 1;
  uint64_t word = atomic_load(&worker->segment->words[at]);
  if (!(word & FUT_SLOT_STOP) || fut_slot_generation(word) != current >> 32 ||
      !atomic_compare_exchange_strong(&worker->current, &current, HELD))
    return;
  worker->ops->stop(worker->local);
  atomic_store(&worker->current, current);
}

static void guard(void *argument) {
  struct worker *worker = argument;
  while (fut_process_watch_parent(worker->parent, worker->stop.readable) ==
         FUT_EAGAIN) {
    fut_event_clear(&worker->stop);
    if (worker->ops->stop)
      stop_current(worker);
  }
  _exit(1);
}

/* --- beginning and end -------------------------------------------------------
 */

static const char usage[] =
    "futures-worker is started by a ProcessPoolExecutor, not by hand.\n";

/* Read the arguments; false if they are not those of a parent. */
static bool read_arguments(int argc, char **argv,
                           fut_process_worker_inheritance *inheritance) {
  if (argc != 2)
    return false;
  long parent;
  int *fds = inheritance->fds;
  if (sscanf(argv[1], "%ld:%u:%d,%d,%d,%d,%d,%d,%d", &parent,
             &inheritance->seat, &fds[0], &fds[1], &fds[2], &fds[3], &fds[4],
             &fds[5], &fds[6]) != 2 + FUT_INHERITED)
    return false;
  inheritance->parent = (pid_t)parent;
  return true;
}

bool fut_process_worker_asked(int argc, char **argv) {
  fut_process_worker_inheritance inheritance;
  return read_arguments(argc, argv, &inheritance);
}

int fut_process_worker_start(fut_process *process, const char *program,
                             fut_process_worker_inheritance *inheritance) {
  char text[160];
  int *fds = inheritance->fds;
  int failed = fut_process_prepare(process);
  if (failed)
    return failed;
  fds[LEASE] = process->lease;
  snprintf(text, sizeof text, "%ld:%u:%d,%d,%d,%d,%d,%d,%d",
           (long)inheritance->parent, inheritance->seat, fds[0], fds[1], fds[2],
           fds[3], fds[4], fds[5], fds[6]);
  char *arguments[] = {(char *)(uintptr_t)program, text, NULL};
  return fut_process_start(process, program, arguments, fds, FUT_INHERITED);
}

/* Map what is shared. Return NULL, or what is wrong. */
static const char *open_shared(struct worker *worker, const int *fds) {
  fut_shared segment, streams;
  if (fut_shared_open(&segment, fds[SEGMENT]) != FUT_OK ||
      segment.size < sizeof(fut_segment))
    return "the shared memory is not to be had";
  worker->segment = segment.base;
  if (memcmp(worker->segment->build, fut_segment_build, FUT_BUILD_SIZE) != 0)
    return "futures-worker belongs to another build of the library";
  if (worker->number >= worker->segment->seats)
    return "there is no such seat";
  worker->seat = &worker->segment->seat[worker->number];
  if (fut_shared_open(&streams, fds[STREAMS]) != FUT_OK ||
      streams.size < sizeof(fut_seat_streams))
    return "the shared memory is not to be had";
  worker->streams = streams.base;
  worker->event = (fut_event){-1, fds[EVENT]};
  worker->stop = (fut_event){fds[STOP], -1};
  worker->doorbell = fut_doorbell_open(fds[DOORBELL]);
  worker->cord = (fut_bell_cord){fds[CORD], -1};
  return NULL;
}

/* Make what the tasks share: false, with a report, if that fails. */
static bool open_local(struct worker *worker) {
  const fut_segment *segment = worker->segment;
  char name[sizeof segment->name + 16];
  snprintf(name, sizeof name, "%s-%u", segment->name, worker->number + 1);
  fut_thread_name(name);
  worker->local = worker->ops->open(
      (const unsigned char *)segment + segment->settings_offset,
      segment->settings_size, (size_t)segment->memory_limit, name,
      worker->seat->report, FUT_REPORT_SIZE);
  if (worker->local == NULL) {
    atomic_store(&worker->seat->state, FUT_SEAT_FAILED);
    return false;
  }
  atomic_store(&worker->seat->opened, true);
  return true;
}

int fut_process_worker_main(int argc, char **argv,
                            const fut_process_worker_ops *ops) {
  static struct worker worker; /* the guardian never ends */
  fut_process_worker_inheritance inheritance;
  if (!read_arguments(argc, argv, &inheritance)) {
    fputs(usage, stderr);
    return 2;
  }
  fut_process_settle(inheritance.fds, FUT_INHERITED);
  for (int i = 0; i < FUT_INHERITED;
       i++) /* not for programs that tasks start */
    if (inheritance.fds[i] >= 0)
      fcntl(inheritance.fds[i], F_SETFD, FD_CLOEXEC);
  worker.ops = ops;
  worker.number = inheritance.seat;
  worker.parent = inheritance.parent;
  worker.at = FUT_SLOTS;
  worker.searching = true; /* as the parent has set our seat */
  const char *problem = open_shared(&worker, inheritance.fds);
  if (problem) {
    fprintf(stderr, "%s\n", problem);
    return 3;
  }
  static fut_thread guardian; /* it may begin when we have ended */
  if (fut_thread_start(&guardian, guard, &worker) != FUT_OK) {
    fprintf(stderr, "%s\n", fut_err_message(FUT_ETHREAD));
    return 3;
  }
  if (!open_local(&worker))
    return 3;
  work(&worker);
  ops->close(worker.local);
  return 0;
}
