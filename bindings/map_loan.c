/* map_loan.c - the workers of a map: tickets, loans, and the work itself */
#include "map_shared.h"
#include "state.h"

/* No loan takes less than this if it can be had: what a loan costs by itself,
   some times over. */
enum { NEAR_NS = 5000, FAR_NS = 50000 };

/* A task that stands for items of a map. */
struct ticket {
  fut_task task;
  map *map; /* a reference */
};

/* On the stack of its worker. */
typedef struct map_loan {
  struct map_loan *next, *before; /* guarded by the map's mutex */
  map_segment *segment;           /* set once; a hold */
  fut_task *task;                 /* worker only: the ticket that it runs */
  atomic_uint place;              /* atomic, set by the worker: where it is */
  atomic_uint end; /* atomic, lowered under the map's mutex by others: where
                      it ends */
  uint64_t ended[FUT_FAILED + 1]; /* worker only: by state, not counted yet */
} loan;

/* How many of its items the worker has not come to. */
static unsigned rest(loan *lent) {
  /* relaxed: nothing but the size of a proposal depends on these */
  unsigned place = atomic_load_explicit(&lent->place, memory_order_relaxed);
  unsigned end = atomic_load_explicit(&lent->end, memory_order_relaxed);
  return end > place + 1 ? end - place - 1 : 0;
}

/* --- tickets ---------------------------------------------------------------
 */

void map_ticket_left(map *m) {
  fut_mutex_lock(&m->mutex);
  m->ticket = false;
  fut_mutex_unlock(&m->mutex);
  atomic_fetch_add(&m->executor->behind, 1);
}

static fut_state ticket_run(fut_task *task, fut_worker_local *local);

static void ticket_fail(fut_task *task, fut_err why, const char *message) {
  map *m = ((struct ticket *)task)->map;
  map_ticket_left(m);
  map_give_up(m, why, message);
  fut_future_end(&task->future, FUT_FAILED);
}

static void ticket_fini(fut_future *future) {
  struct ticket *ticket = (struct ticket *)future;
  if (fut_future_state(future) == FUT_CANCELLED) {
    map_ticket_left(ticket->map);
    map_give_up(ticket->map, FUT_OK, NULL);
  }
  fut_object_release(&ticket->map->object);
  fut_task_fini(&ticket->task);
}

size_t map_ticket_size(void) {
  size_t here = sizeof(struct ticket);
  return here > map_far_ticket_size ? here : map_far_ticket_size;
}

static const fut_task_kind ticket_kind = {
    .future = {.object = {"ticket", fut_future_free}, .fini = ticket_fini},
    .run = ticket_run,
    .fail = ticket_fail};

/* Return the loan with most left, NULL if nothing is left in any. Assumes mutex
   held. */
static loan *largest(const map *m) {
  loan *found = NULL;
  unsigned most = 0;
  for (loan *lent = m->loans; lent; lent = lent->next)
    if (rest(lent) > most) {
      found = lent;
      most = rest(lent);
    }
  return found;
}

static fut_task *ticket_new(map *m) {
  struct ticket *ticket = fut_arena_take(m->tickets);
  if (ticket == NULL)
    return NULL;
  fut_task_init(&ticket->task, &ticket_kind, m->tickets);
  ticket->map = m;
  return &ticket->task;
}

fut_task *map_ticket_due(map *m, bool *fine) {
  *fine = true;
  if (m->ticket || m->given_up ||
      (atomic_load_explicit(&m->idle, memory_order_relaxed) == 0 &&
       largest(m) == NULL))
    return NULL;
  fut_task *ticket =
      fut_executor_far(m->executor) ? map_far_ticket_new(m) : ticket_new(m);
  *fine = ticket != NULL;
  if (ticket == NULL)
    return NULL;
  ticket->many = true;
  ticket->priority = m->options.priority;
  ticket->order = m->order;
  fut_object_hold(&m->object);
  m->ticket = true;
  return ticket;
}

bool map_pass_on(map *m) {
  bool fine;
  fut_mutex_lock(&m->mutex);
  fut_task *ticket = map_ticket_due(m, &fine);
  fut_mutex_unlock(&m->mutex);
  if (ticket) {
    fut_executor_again(m->executor, ticket);
    map_ticket_counted(m);
  }
  return fine;
}

/* --- loans -----------------------------------------------------------------
 */

size_t map_loan_size(const map *m, uint64_t left) {
  long long item_ns = atomic_load_explicit(&m->item_ns, memory_order_relaxed);
  uint64_t size = m->loan * 2, share = left / (2 * m->executor->max_workers);
  if (m->options.chunksize > 0)
    size = m->options.chunksize;
  else if (item_ns == 0)
    size = 1;
  else {
    long long least = fut_executor_far(m->executor) ? FAR_NS : NEAR_NS;
    if (size > (uint64_t)(MAP_LOAN_NS / item_ns))
      size = (uint64_t)(MAP_LOAN_NS / item_ns);
    if (share < (uint64_t)(least / item_ns))
      share = (uint64_t)(least / item_ns);
    if (size > share)
      size = share;
  }
  if (m->fit > 0 && size > m->fit)
    size = m->fit;
  return size > 0 ? (size_t)size : 1;
}

uint64_t map_seek(map *m) {
  while (m->at && m->place == m->at->capacity && m->at->next) {
    m->at = m->at->next;
    m->place = 0;
  }
  map_recount(m);
  return atomic_load_explicit(&m->idle, memory_order_relaxed);
}

/* Fill the loan in and note it. Assumes mutex held. */
static void take(map *m, loan *lent, map_segment *segment, unsigned from,
                 unsigned to) {
  lent->segment = segment;
  atomic_fetch_add(&segment->holders, 1);
  atomic_init(&lent->place, from);
  atomic_init(&lent->end, to);
  for (fut_state state = FUT_PENDING; state <= FUT_FAILED; state++)
    lent->ended[state] = 0;
  lent->before = NULL;
  lent->next = m->loans;
  if (m->loans)
    m->loans->before = lent;
  m->loans = lent;
}

/* Borrow what comes next. Assumes mutex held and that there is something. */
static void borrow(map *m, loan *lent, uint64_t left) {
  size_t size = map_loan_size(m, left);
  if (size > left)
    size = (size_t)left;
  if (size > m->at->capacity - m->place)
    size = m->at->capacity - m->place;
  unsigned from = m->place;
  m->place += (unsigned)size;
  m->loan = size;
  map_recount(m);
  take(m, lent, m->at, from, m->place);
}

/* Take over half of a loan. Assumes mutex held. */
static void halve(map *m, loan *lent, loan *other) {
  /* relaxed: as in rest() */
  unsigned end = atomic_load_explicit(&other->end, memory_order_relaxed);
  unsigned middle = end - (rest(other) + 1) / 2;
  atomic_store_explicit(&other->end, middle, memory_order_relaxed);
  take(m, lent, other->segment, middle, end);
}

/* Get a loan; false if no item is left that has not started. */
static bool lend(map *m, loan *lent) {
  fut_mutex_lock(&m->mutex);
  uint64_t left = map_seek(m);
  loan *other = left == 0 && !m->given_up ? largest(m) : NULL;
  if (left > 0)
    borrow(m, lent, left);
  else if (other)
    halve(m, lent, other);
  fut_mutex_unlock(&m->mutex);
  return left > 0 || other;
}

void map_give_back(map *m, const map_segment *segment, unsigned place) {
  uint64_t number = segment->first + place;
  uint64_t cursor = m->at->first + m->place;
  if (segment->listed && !m->given_up && number < cursor) {
    m->at = (map_segment *)segment;
    m->place = place;
    map_recount(m);
  }
  m->loan = 1;
}

static void give_back(map *m, const loan *lent, unsigned place) {
  fut_mutex_lock(&m->mutex);
  map_give_back(m, lent->segment, place);
  fut_mutex_unlock(&m->mutex);
}

void map_measure(map *m, unsigned items, int64_t time) {
  if (items == 0)
    return;
  long long each = time / items + 1;
  long long before = atomic_load_explicit(&m->item_ns, memory_order_relaxed);
  atomic_store_explicit(&m->item_ns, before ? (before + each) / 2 : each,
                        memory_order_relaxed);
}

/* A loan is over, of which so many items took so long. */
static void settle(map *m, loan *lent, unsigned items, fut_deadline time) {
  fut_mutex_lock(&m->mutex);
  if (lent->before)
    lent->before->next = lent->next;
  else
    m->loans = lent->next;
  if (lent->next)
    lent->next->before = lent->before;
  map_measure(m, items, time);
  fut_mutex_unlock(&m->mutex);
  map_segment_release(lent->segment);
}

/* --- work ------------------------------------------------------------------
 */

/* Make the call that an item holds, which is RUNNING; its outcome takes the
   place. Return how it ends. */
static fut_state call(map *m, loan *lent, content *held, bool whole,
                      fut_worker_local *local) {
  job_content arguments = content_message(held);
  job_content function = content_message(&m->function);
  fut_state state = FUT_FAILED;
  wire_message *outcome = NULL;
  if (local && whole)
    outcome = state_run(local, lent->task, &arguments, NULL, &state);
  else if (local)
    outcome =
        state_run_apart(local, lent->task, &function, &arguments, NULL, &state);
  return map_put_outcome(m, held, outcome, state);
}

/* Count what has ended and was not counted. */
static void report(map *m, loan *lent) {
  for (fut_state state = FUT_CANCELLED; state <= FUT_FAILED; state++) {
    if (lent->ended[state] > 0)
      fut_executor_count(m->executor, state, lent->ended[state]);
    lent->ended[state] = 0;
  }
}

/* Run an item that is RUNNING and end it. What is counted is so before that,
   but for brief items before the last one of the loan. */
static void run(map *m, loan *lent, unsigned place, bool whole,
                fut_worker_local *local) {
  content *held = &lent->segment->items[place].content;
  fut_state state = call(m, lent, held, whole, local);
  lent->ended[state]++;
  if (!map_brisk(m) || rest(lent) == 0)
    report(m, lent);
  if (map_end_item(m, lent->segment, place, state))
    map_arrive(m);
}

/* Whether the worker should stop before the item at place, and what is left of
   the loan is settled. */
static bool called_off(map *m, const loan *lent, unsigned place, bool ran) {
  unsigned demands = fut_executor_demands(m->executor, m->options.priority);
  if (demands == 0)
    return false;
  if (demands & FUT_GIVE_UP) {
    const char *broken = fut_executor_broken(m->executor);
    map_give_up(m, broken ? fut_executor_refusal(m->executor) : FUT_OK, broken);
    return true;
  }
  if (!ran)
    return false; /* one step at least, or it would go round in circles */
  give_back(m, lent, place);
  return map_pass_on(m);
}

/* Run the items of a loan. Return whether the worker may go on with another
   one. *ran says whether it has run any since it took the ticket. */
static bool work(map *m, loan *lent, fut_worker_local *local, bool *ran) {
  fut_deadline start = fut_clock_now();
  unsigned place = atomic_load_explicit(&lent->place, memory_order_relaxed);
  unsigned count = 0;
  bool go_on = true, fine = true;
  /* relaxed: as in rest() */
  for (; place < atomic_load_explicit(&lent->end, memory_order_relaxed) && fine;
       place++) {
    atomic_store_explicit(&lent->place, place, memory_order_relaxed);
    if (called_off(m, lent, place, *ran)) {
      go_on = false;
      break;
    }
    bool whole;
    if (map_item_leave(&lent->segment->items[place], FUT_RUNNING, &whole)) {
      run(m, lent, place, whole, local);
      fine = local && !state_worn(local);
      *ran = true;
      count++;
    }
  }
  if (!fine) { /* the worker looks after its state between tasks */
    give_back(m, lent, place);
    go_on = !map_pass_on(m);
  }
  report(m, lent);
  settle(m, lent, count, fut_clock_now() - start);
  return go_on;
}

static fut_state ticket_run(fut_task *task, fut_worker_local *local) {
  map *m = ((struct ticket *)task)->map;
  fut_mutex_lock(&m->mutex);
  m->order = task->order;
  fut_mutex_unlock(&m->mutex);
  map_ticket_left(m);
  bool go_on = true, ran = false;
  loan lent;
  while (go_on && lend(m, &lent)) {
    lent.task = task;
    map_pass_on(m);
    go_on = work(m, &lent, local, &ran);
  }
  return FUT_FINISHED;
}
