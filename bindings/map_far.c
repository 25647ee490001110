/* map_far.c - items of a map that go to a worker process, many in one call

   The pool takes a ticket from the queue and has it lend: items in a row, which
   are RUNNING from then on. A worker does them one after another; what became
   of them is settled at the end, or when the worker has died. Those that it has
   not come to when others are idle, or that nobody wants any more, are recalled
   and PENDING again.

   The call: the size of the function in 8 bytes, the function; of each item its
   size times two and whether it is a whole call, in 8 bytes, and its bytes. All
   of this runs with the mutex of the pool held, which is taken before that of
   the map. */
#include "map_far.h"

#include "map_shared.h"
#include "memory.h"
#include "segment.h"

#include <string.h>

#define CALL_SIZE ((size_t)1 << 16) /* no more items go with these bytes */
#define HEAD sizeof(uint64_t)

struct far_ticket {
  fut_task task;
  map *map;             /* a reference */
  bool left;            /* it has left the queue */
  map_segment *segment; /* of what is lent: a hold */
  unsigned from, count; /* of what is lent */
  unsigned ended;       /* of that */
  unsigned char *call;  /* owned */
  size_t size;
  unsigned char *outcome; /* owned */
};

const size_t map_far_ticket_size = sizeof(struct far_ticket);

/* --- lending -----------------------------------------------------------------
 */

/* Take items in a row that nobody has, from the cursor on. Return the size of a
   call of them. */
static size_t borrow(struct far_ticket *ticket) {
  map *m = ticket->map;
  size_t size = HEAD + content_message(&m->function).size;
  bool whole;
  fut_mutex_lock(&m->mutex);
  uint64_t left = map_seek(m);
  while (left > 0 && map_item_state(&m->at->items[m->place]) != FUT_PENDING) {
    m->place++; /* lent before the cursor was set back */
    left = map_seek(m);
  }
  size_t most = left > 0 ? map_loan_size(m, left) : 0;
  most = most < left ? most : (size_t)left;
  most = most < FUT_LENT_LIMIT ? most : FUT_LENT_LIMIT;
  if (most > 0) {
    ticket->segment = m->at;
    ticket->from = m->place;
  }
  while (ticket->count < most && (ticket->count == 0 || size < CALL_SIZE) &&
         m->place < m->at->capacity &&
         map_item_lend(&m->at->items[m->place], &whole)) {
    size += HEAD + content_message(&m->at->items[m->place].content).size;
    ticket->count++;
    m->place++;
  }
  if (ticket->count > 0) {
    m->loan = ticket->count;
    atomic_fetch_add(&ticket->segment->holders, 1);
  }
  map_recount(m);
  fut_mutex_unlock(&m->mutex);
  return size;
}

static unsigned char *put(unsigned char *at, uint64_t number,
                          const job_content *bytes) {
  memcpy(at, &number, HEAD);
  memcpy(at + HEAD, bytes->bytes, bytes->size);
  return at + HEAD + bytes->size;
}

/* Write the call; false if memory ran out. */
static bool write_call(struct far_ticket *ticket, size_t size) {
  ticket->call = fut_memory_new(size);
  if (ticket->call == NULL)
    return false;
  ticket->size = size;
  job_content function = content_message(&ticket->map->function);
  unsigned char *at = put(ticket->call, function.size, &function);
  for (unsigned i = 0; i < ticket->count; i++) {
    const map_item *item = &ticket->segment->items[ticket->from + i];
    job_content bytes = content_message(&item->content);
    bool whole = atomic_load(&item->state) & ITEM_WHOLE;
    at = put(at, (uint64_t)bytes.size << 1 | whole, &bytes);
  }
  return true;
}

bool map_far_next(const fut_call *call, size_t *at, job_content *function,
                  job_content *item) {
  uint64_t size;
  memcpy(&size, call->bytes, HEAD);
  *function = (job_content){.bytes = call->bytes + HEAD, .size = (size_t)size};
  if (*at == 0)
    *at = HEAD + function->size;
  memcpy(&size, call->bytes + *at, HEAD);
  *item = (job_content){.bytes = call->bytes + *at + HEAD,
                        .size = (size_t)(size >> 1)};
  *at += HEAD + item->size;
  return size & 1;
}

/* --- what becomes of it ------------------------------------------------------
 */

/* End an item that is lent, with the outcome that the message is. */
static bool end_item(struct far_ticket *ticket, unsigned number,
                     wire_message *outcome, fut_state state) {
  map *m = ticket->map;
  unsigned place = ticket->from + number;
  state = map_put_outcome(m, &ticket->segment->items[place].content, outcome,
                          state);
  fut_executor_count(m->executor, state, 1);
  return map_end_item(m, ticket->segment, place, state);
}

/* End an item that was begun and has not left a frame. */
static bool fail_item(struct far_ticket *ticket, unsigned number,
                      const fut_lent *lent) {
  wire_message outcome;
  wire_message_init(&outcome);
  bool described = lent->why != FUT_OK &&
                   job_put_failure(&outcome, lent->why, lent->message);
  bool wanted = end_item(ticket, number, described ? &outcome : NULL,
                         lent->why == FUT_OK ? FUT_CANCELLED : FUT_FAILED);
  wire_message_fini(&outcome);
  return wanted;
}

/* Nothing that was given back is to be begun. */
static void end_rest(map *m) {
  const char *broken = fut_executor_broken(m->executor);
  map_give_up(m, broken ? fut_executor_refusal(m->executor) : FUT_OK, broken);
}

/* Let those from number on be lent anew. */
static void give_back(struct far_ticket *ticket, unsigned number) {
  map *m = ticket->map;
  fut_mutex_lock(&m->mutex);
  for (unsigned i = number; i < ticket->count; i++)
    map_item_return(&ticket->segment->items[ticket->from + i]);
  if (number < ticket->count)
    map_give_back(m, ticket->segment, ticket->from + number);
  bool late = m->given_up;
  ticket->count = number;
  fut_mutex_unlock(&m->mutex);
  if (late)
    end_rest(m);
}

/* Nothing is lent any more. */
static void let_go(struct far_ticket *ticket) {
  if (ticket->segment)
    map_segment_release(ticket->segment);
  ticket->segment = NULL;
  ticket->count = ticket->ended = 0;
  fut_memory_free(ticket->call);
  fut_memory_free(ticket->outcome);
  ticket->call = ticket->outcome = NULL;
}

/* See that what is left is done. */
static void go_on(map *m) {
  if (fut_executor_broken(m->executor))
    end_rest(m);
  else
    map_pass_on(m);
}

/* --- the ticket --------------------------------------------------------------
 */

static unsigned ticket_lend(fut_task *task) {
  struct far_ticket *ticket = (struct far_ticket *)task;
  map *m = ticket->map;
  if (ticket->count > 0)
    return ticket->count;
  if (!ticket->left) {
    fut_mutex_lock(&m->mutex);
    m->order = task->order;
    fut_mutex_unlock(&m->mutex);
    map_ticket_left(m);
    ticket->left = true;
  }
  size_t size = borrow(ticket);
  map_pass_on(m);
  if (ticket->count > 0 && !write_call(ticket, size)) {
    fut_lent none = {.started = ticket->count, .why = FUT_ENOMEM};
    bool wanted = false;
    for (unsigned i = 0; i < ticket->count; i++)
      wanted |= fail_item(ticket, i, &none);
    let_go(ticket);
    if (wanted)
      map_arrive(m);
  }
  return ticket->count;
}

static void ticket_recall(fut_task *task, unsigned from) {
  struct far_ticket *ticket = (struct far_ticket *)task;
  give_back(ticket, from);
  go_on(ticket->map);
}

static bool ticket_unwanted(const fut_task *task) {
  map *m = ((const struct far_ticket *)task)->map;
  fut_mutex_lock(&m->mutex);
  bool given_up = m->given_up;
  fut_mutex_unlock(&m->mutex);
  return given_up;
}

/* See how many items to lend from now on: some have ended, after so long, and a
   worker had no room for the rest. */
static void measure(map *m, unsigned ended, unsigned rest, int64_t took) {
  fut_mutex_lock(&m->mutex);
  map_measure(m, ended, took);
  if (rest > 0)
    m->fit = m->loan = ended > 0 ? ended : 1;
  else if (m->fit > 0 && ended >= m->fit)
    m->fit += m->fit / 8 + 1;
  fut_mutex_unlock(&m->mutex);
}

static void ticket_deliver(fut_task *task, unsigned things,
                           const unsigned char *frames, size_t size) {
  struct far_ticket *ticket = (struct far_ticket *)task;
  bool wanted = false;
  for (; things > 0 && ticket->ended < ticket->count; things--) {
    uint32_t bytes;
    if (size < FUT_FRAME_HEAD)
      break;
    memcpy(&bytes, frames, 4);
    unsigned kind = frames[4];
    frames += FUT_FRAME_HEAD;
    size -= FUT_FRAME_HEAD;
    if (size < bytes || kind > FUT_OUTCOME_STOPPED)
      break;
    wire_message message = {.bytes = (unsigned char *)frames, .size = bytes};
    fut_state state = kind == FUT_OUTCOME_VALUES  ? FUT_FINISHED
                      : kind == FUT_OUTCOME_ERROR ? FUT_FAILED
                                                  : FUT_CANCELLED;
    wanted |= end_item(ticket, ticket->ended++, &message, state);
    frames += bytes;
    size -= bytes;
  }
  if (wanted)
    map_arrive(ticket->map);
}

static void ticket_settle(fut_task *task, const fut_lent *lent) {
  struct far_ticket *ticket = (struct far_ticket *)task;
  map *m = ticket->map;
  bool wanted = false;
  unsigned ended = ticket->ended;
  for (unsigned i = ended; i < lent->started && i < ticket->count; i++)
    wanted |= fail_item(ticket, i, lent);
  unsigned rest =
      lent->started < ticket->count ? ticket->count - lent->started : 0;
  if (rest > 0)
    give_back(ticket, lent->started);
  if (lent->took > 0)
    measure(m, ended, rest, lent->took);
  let_go(ticket);
  go_on(m);
  if (wanted)
    map_arrive(m);
}

static fut_call ticket_call(const fut_task *task) {
  const struct far_ticket *ticket = (const struct far_ticket *)task;
  return (fut_call){.bytes = ticket->call, .size = ticket->size};
}

static unsigned char *ticket_outcome(fut_task *task, size_t size) {
  struct far_ticket *ticket = (struct far_ticket *)task;
  fut_memory_free(ticket->outcome);
  ticket->outcome = fut_memory_new(size > 0 ? size : 1);
  return ticket->outcome;
}

/* It is to do nothing: what it had lent is anybody's, or goes with the map. */
static void give_up(struct far_ticket *ticket, fut_err why,
                    const char *message) {
  if (!ticket->left)
    map_ticket_left(ticket->map);
  ticket->left = true;
  if (ticket->count > 0)
    give_back(ticket, 0);
  map_give_up(ticket->map, why, message);
}

static void ticket_fail(fut_task *task, fut_err why, const char *message) {
  give_up((struct far_ticket *)task, why, message);
  fut_future_end(&task->future, FUT_FAILED);
}

static void ticket_fini(fut_future *future) {
  struct far_ticket *ticket = (struct far_ticket *)future;
  if (fut_future_state(future) == FUT_CANCELLED)
    give_up(ticket, FUT_OK, NULL);
  let_go(ticket);
  fut_object_release(&ticket->map->object);
  fut_task_fini(&ticket->task);
}

static const fut_task_kind ticket_kind = {
    .future = {.object = {"far ticket", fut_future_free}, .fini = ticket_fini},
    .fail = ticket_fail,
    .call = ticket_call,
    .outcome = ticket_outcome,
    .lend = ticket_lend,
    .recall = ticket_recall,
    .unwanted = ticket_unwanted,
    .deliver = ticket_deliver,
    .settle = ticket_settle};

fut_task *map_far_ticket_new(map *m) {
  struct far_ticket *ticket = fut_arena_take(m->tickets);
  if (ticket == NULL)
    return NULL;
  fut_task_init(&ticket->task, &ticket_kind, m->tickets);
  ticket->map = m;
  ticket->left = false;
  ticket->segment = NULL;
  ticket->from = ticket->count = ticket->ended = 0;
  ticket->call = ticket->outcome = NULL;
  ticket->size = 0;
  return &ticket->task;
}
