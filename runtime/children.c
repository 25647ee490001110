/* children.c - the workers of a process pool, as the parent sees them */
#include "children.h"

#include "check.h"
#include "doorbell.h"
#include "memory.h"
#include "process_worker.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define START_NS                                                               \
  1000000000             /* that long a start may take, on a busy machine      \
                          */
#define AHEAD 8          /* slots that are fetched while others are collected */
#define SLOW_NS 50000000 /* a worker that was woken comes earlier than this */

fut_err fut_children_init(fut_children *children, fut_segment *segment,
                          int segment_fd, char *program, unsigned size) {
  *children = (fut_children){.segment = segment,
                             .segment_fd = segment_fd,
                             .program = program,
                             .size = size};
  children->child = fut_memory_new(size * sizeof *children->child);
  if (children->child == NULL)
    return FUT_ENOMEM;
  if (fut_event_open(&children->event) != FUT_OK) {
    fut_memory_free(children->child);
    return FUT_ENOMEM;
  }
  for (unsigned i = 0; i < size; i++)
    children->child[i] = (fut_child){.present = false};
  return FUT_OK;
}

void fut_children_fini(fut_children *children) {
  CHECK(children->present == 0);
  fut_event_close(&children->event);
  fut_memory_free(children->child);
}

static fut_seat_streams *streams_of(const fut_child *member) {
  return member->streams.base;
}

/* --- through the streams -----------------------------------------------------
 */

/* Whether the worker has the slot and the task there is as we know it. */
static bool has(const fut_slots *slots, unsigned seat, unsigned at) {
  if (at >= FUT_SLOTS || slots->handed[at].task == NULL)
    return false;
  uint64_t word = fut_slots_word(slots, at);
  return fut_slot_state(word) == FUT_SLOT_RUNNING &&
         fut_slot_seat(word) == seat &&
         fut_slot_generation(word) == slots->handed[at].generation;
}

/* Send more of the call that the worker has asked for. */
static void send_call(fut_children *children, unsigned seat, fut_slots *slots,
                      unsigned at) {
  fut_child *member = &children->child[seat];
  if (!has(slots, seat, at))
    return;
  fut_slots_started(slots, at);
  fut_handed *handed = &slots->handed[at];
  fut_call call = fut_task_kind_of(handed->task)->call(handed->task);
  if (handed->size > 0 || handed->sent >= call.size)
    return; /* it asks for too much */
  size_t put =
      fut_stream_put(&streams_of(member)->calls, &member->call_position,
                     call.bytes + handed->sent, call.size - handed->sent);
  handed->sent += put;
  if (put > 0)
    fut_bell_ring(&children->segment->seat[seat].bell, &member->cord);
}

/* Receive more of the outcome that the worker sends, as a whole or in part. */
static void receive_outcome(fut_children *children, unsigned seat,
                            fut_slots *slots, unsigned at) {
  fut_child *member = &children->child[seat];
  fut_handed *handed = &slots->handed[at];
  if (handed->size == 0) { /* it begins */
    uint64_t size = atomic_load(&slots->segment->slots[at].size);
    if (size <= FUT_SLOT_SPACE)
      return;
    fut_slots_started(slots, at);
    handed->size = size;
    if (handed->size < SIZE_MAX / 2)
      handed->room = fut_task_kind_of(handed->task)
                         ->outcome(handed->task, (size_t)handed->size);
  }
  size_t got =
      fut_stream_get(&streams_of(member)->outcomes, &member->outcome_position,
                     handed->room ? handed->room + handed->received : NULL,
                     (size_t)handed->size - handed->received);
  handed->received += got;
  if (got > 0)
    fut_bell_ring(&children->segment->seat[seat].bell, &member->cord);
}

void fut_children_collect_slot(fut_children *children, unsigned seat,
                               fut_slots *slots, unsigned at) {
  if (atomic_load(&slots->segment->slots[at].size) > FUT_SLOT_SPACE)
    receive_outcome(children, seat, slots, at); /* all of it is there */
  fut_slots_collect(slots, at);
}

static unsigned done_slot(fut_seat *place, unsigned number) {
  /* relaxed: published by done_count */
  return atomic_load_explicit(&place->done[number % FUT_SLOTS],
                              memory_order_relaxed);
}

/* Have a slot on its way while others are collected. */
static void prefetch_done(fut_slots *slots, fut_seat *place, unsigned number) {
  fut_slot_prefetch(
      &slots->segment->slots[done_slot(place, number) % FUT_SLOTS]);
}

void fut_children_collect(fut_children *children, unsigned seat,
                          fut_slots *slots) {
  fut_child *member = &children->child[seat];
  if (!member->started)
    return;
  fut_seat *place = &children->segment->seat[seat];
  /* before the count: whatever went through the stream before this outcome is
     among those counted, and collected first */
  unsigned outgoing = atomic_load(&place->outgoing);
  unsigned count = atomic_load(&place->done_count);
  if (count - member->done > FUT_SLOTS) { /* it has lost its mind */
    fut_children_signal(children, seat, SIGKILL);
    return;
  }
  for (unsigned i = member->done; i != count && i != member->done + AHEAD; i++)
    prefetch_done(slots, place, i);
  while (member->done != count) {
    if (count - member->done > AHEAD)
      prefetch_done(slots, place, member->done + AHEAD);
    unsigned at = done_slot(place, member->done++);
    if (fut_slots_done(slots, at, seat))
      fut_children_collect_slot(children, seat, slots, at);
  }
  unsigned many = atomic_load(&place->many);
  if (many != 0 && has(slots, seat, many - 1) &&
      slots->handed[many - 1].things > 0)
    fut_slots_deliver(slots, many - 1);
  unsigned incoming = atomic_load(&place->incoming);
  if (incoming != 0)
    send_call(children, seat, slots, incoming - 1);
  if (outgoing != 0 && has(slots, seat, outgoing - 1))
    receive_outcome(children, seat, slots, outgoing - 1);
}

/* --- who sleeps and who searches ---------------------------------------------
 */

/* Wake the worker in a seat for a task: false if it did not sleep. */
static bool wake(fut_children *children, unsigned seat) {
  fut_seat *place = &children->segment->seat[seat];
  unsigned asleep = FUT_SEAT_ASLEEP;
  if (!atomic_compare_exchange_strong(&place->state, &asleep,
                                      FUT_SEAT_SEARCHING))
    return false;
  fut_bell_ring(&place->bell, &children->child[seat].cord);
  return true;
}

/* How long a worker may take to come: it has to be started first, or was. */
static int64_t patience(const fut_seat *place) {
  return atomic_load(&place->opened) ? SLOW_NS : START_NS;
}

/* Whether the worker in a seat has been woken, or has done something, since
   this was asked last: two looks may find it in two searches. */
static bool moved(fut_children *children, unsigned seat) {
  fut_child *member = &children->child[seat];
  fut_seat *place = &children->segment->seat[seat];
  unsigned signs =
      fut_bell_rung(&place->bell) + atomic_load(&place->done_count);
  bool changed = signs != member->signs;
  member->signs = signs;
  return changed;
}

fut_children_answer fut_children_wake(fut_children *children, unsigned waiting,
                                      fut_deadline now) {
  unsigned searching, slow, sleeper;
again:
  searching = slow = 0;
  sleeper = children->size;
  for (unsigned i = 0; i < children->size; i++) {
    fut_child *member = &children->child[i];
    if (!member->present)
      continue;
    unsigned state = atomic_load(&children->segment->seat[i].state);
    if (state != FUT_SEAT_SEARCHING || moved(children, i)) {
      member->called = FUT_NEVER;
      member->slow = false;
    }
    if (state == FUT_SEAT_SEARCHING && now != FUT_POLL) {
      if (member->called == FUT_NEVER)
        member->called = now;
      else if (now - member->called > patience(&children->segment->seat[i]))
        member->slow = true;
    }
    if (state == FUT_SEAT_SEARCHING) {
      searching += !member->slow;
      slow += member->slow;
    } else if (state == FUT_SEAT_ASLEEP && sleeper == children->size)
      sleeper = i;
  }
  if (searching >= waiting)
    return FUT_CHILDREN_COMES;
  if (sleeper < children->size) {
    if (searching == 0 && !wake(children, sleeper))
      goto again; /* it has gone, or come by itself */
    return FUT_CHILDREN_COMES;
  }
  if (children->present < children->size)
    return FUT_CHILDREN_START;
  return searching + slow > 0 ? FUT_CHILDREN_COMES : FUT_CHILDREN_BUSY;
}

void fut_children_wake_all(fut_children *children) {
  for (unsigned i = 0; i < children->size; i++)
    if (children->child[i].started)
      wake(children, i);
}

unsigned fut_children_awake(const fut_children *children) {
  unsigned awake = 0;
  for (unsigned i = 0; i < children->size; i++) {
    unsigned state = atomic_load(&children->segment->seat[i].state);
    awake += state == FUT_SEAT_SEARCHING || state == FUT_SEAT_BUSY;
  }
  return awake;
}

void fut_children_signal(fut_children *children, unsigned seat, int signal) {
  if (children->child[seat].started)
    fut_process_signal(&children->child[seat].process, signal);
}

/* --- coming and going --------------------------------------------------------
 */

/* Make a seat as new for a worker that is to be started. */
static void renew(fut_seat *place) {
  atomic_store(&place->opened, false);
  atomic_store(&place->bell.asleep, false);
  atomic_store(&place->done_count, 0);
  atomic_store(&place->taking, 0);
  atomic_store(&place->run_time, 0);
  atomic_store(&place->memory, 0);
  atomic_store(&place->outgoing, 0);
  atomic_store(&place->many, 0);
  atomic_store(&place->incoming, 0);
  place->report[0] = '\0';
  atomic_store(&place->state, FUT_SEAT_SEARCHING);
}

unsigned fut_children_take_seat(fut_children *children) {
  unsigned seat = 0;
  while (seat < children->size && children->child[seat].present)
    seat++;
  if (seat < children->size) {
    children->child[seat] =
        (fut_child){.present = true, .kill_at = FUT_NEVER, .called = FUT_NEVER};
    renew(&children->segment->seat[seat]);
    children->present++;
  }
  return seat;
}

void fut_children_leave(fut_children *children, unsigned seat) {
  fut_child *member = &children->child[seat];
  if (member->started) {
    fut_shared_close(&member->streams);
    fut_bell_cord_close(&member->cord);
    fut_event_close(&member->stop);
  }
  member->present = member->started = false;
  atomic_store(&children->segment->seat[seat].state, FUT_SEAT_EMPTY);
  children->present--;
}

int fut_children_start(fut_children *children, unsigned seat) {
  fut_child *member = &children->child[seat];
  if (fut_shared_new(&member->streams, sizeof(fut_seat_streams)) != FUT_OK)
    return ENOMEM;
  int failed = EMFILE;
  if (fut_bell_cord_open(&member->cord) != FUT_OK)
    goto close_streams;
  if (fut_event_open(&member->stop) != FUT_OK)
    goto close_cord;
  int doorbell;
  fut_doorbell_here(&doorbell);
  fut_process_worker_inheritance inheritance = {
      .parent = getpid(),
      .seat = seat,
      .fds = {children->segment_fd, member->streams.fd,
              children->event.writable, doorbell, member->cord.sleeper,
              member->stop.readable, -1}};
  failed = fut_process_worker_start(&member->process, children->program,
                                    &inheritance);
  if (failed == 0)
    return 0;
  fut_event_close(&member->stop);
close_cord:
  fut_bell_cord_close(&member->cord);
close_streams:
  fut_shared_close(&member->streams);
  return failed;
}
