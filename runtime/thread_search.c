/* thread_search.c - how a worker of a thread pool finds its next task

   From the queue, and when many wait a few more into its own link; what others
   have taken ahead and do not come to; what idle ones can take from them. */
#include "threads.h"

#include "waiter.h"

#include <limits.h>

#define LINGER_TASKS 4   /* fewer than this are worth a pause */
#define LINGER_PAUSES 40 /* about 2 us */
#define BRIEF_NS 10000   /* tasks shorter than this are taken by the batch */
#define PATROL_NS 50000  /* how often to look after the links of others */

static fut_task *ticket_task(uint64_t ticket) {
  return (fut_task *)(uintptr_t)ticket;
}

fut_task *fut_threads_steal(fut_threads *threads, const fut_worker *thief) {
  unsigned count = atomic_load(&threads->places);
  unsigned from = thief ? thief->base.number : 0;
  for (unsigned i = 0; i < count; i++) {
    fut_worker *other = atomic_load(&threads->workers[(from + i) % count]);
    uint64_t ticket;
    if (other != thief && fut_link_take(&other->link, &ticket))
      return ticket_task(ticket);
  }
  return NULL;
}

/* Whether the link of a worker has stood still since the last patrol. */
static bool stalled(fut_worker *worker) {
  unsigned taken = fut_link_taken(&worker->link);
  /* relaxed: two patrols at once only take over too early */
  return fut_link_count(&worker->link) > 0 &&
         atomic_exchange_explicit(&worker->seen, taken, memory_order_relaxed) ==
             taken;
}

/* Take over what was taken ahead by a worker that is stuck in a long task: it
   is older than all that the queue holds. */
static fut_task *patrol(fut_worker *worker) {
  fut_threads *threads = worker->threads;
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count; i++) {
    fut_worker *other = atomic_load(&threads->workers[i]);
    uint64_t first, ticket;
    if (other == worker || !stalled(other) ||
        !fut_link_take(&other->link, &first))
      continue;
    while (fut_link_room(&worker->link) > 0 &&
           fut_link_take(&other->link, &ticket))
      fut_link_feed(&worker->link, ticket);
    return ticket_task(first);
  }
  return NULL;
}

bool fut_threads_more(fut_threads *threads) {
  if (fut_queue_count(threads->queue) > 0)
    return true;
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count; i++)
    if (fut_link_count(&atomic_load(&threads->workers[i])->link) > 0)
      return true;
  return false;
}

/* What ends a sleep. */
static bool anything(fut_threads *threads) {
  return fut_queue_closed(threads->queue) ||
         (fut_idle_permitted(&threads->idle) && fut_threads_more(threads));
}

/* If few tasks wait and nobody waits for them, pause before taking any: more
   will have gathered then, and one trip to the queue serves them all. */
static void linger(fut_threads *threads) {
  if (fut_waiter_any() || fut_queue_count(threads->queue) >= LINGER_TASKS ||
      fut_queue_urgent(threads->queue))
    return;
  for (int i = 0; i < LINGER_PAUSES; i++)
    fut_thread_relax();
}

static fut_task *look(fut_worker *worker, unsigned share) {
  fut_threads *threads = worker->threads;
  fut_task *task = NULL;
  if (worker->since - worker->patrolled > PATROL_NS) {
    worker->patrolled = worker->since;
    task = patrol(worker);
  }
  if (task == NULL)
    task = fut_queue_pull(threads->queue, &worker->link, share);
  if (task == NULL)
    task = fut_threads_steal(threads, worker);
  if (task == NULL)
    task = fut_queue_pull_low(threads->queue);
  return task;
}

static bool look_around(fut_worker *worker) {
  if (!fut_spin_begin(&worker->spin))
    return false;
  bool found;
  do
    found = fut_queue_closed(worker->threads->queue) ||
            fut_threads_more(worker->threads);
  while (!found && fut_spin_again(&worker->spin));
  fut_spin_end(&worker->spin, found);
  return found;
}

/* The last look around before the sleep, when the worker counts as asleep. */
static bool last_look(void *context) {
  fut_threads_close_abandoned(context);
  return anything(context);
}

/* False if the deadline has passed and nothing has come. */
static bool sleep_idle(fut_worker *worker, fut_deadline deadline) {
  fut_threads *threads = worker->threads;
  fut_spin_asleep(&worker->spin);
  fut_spin_count(-1);
  bool woken = fut_idle_sleep(&threads->idle, &worker->sleeper, last_look,
                              threads, deadline);
  fut_spin_count(1);
  if (woken)
    fut_spin_woken(&worker->spin);
  return woken || anything(threads);
}

/* The batch is done: add up what it took. */
static void end_batch(fut_worker *worker, fut_deadline now) {
  _Atomic uint64_t *total = &worker->tally.run_time;
  uint64_t took = (uint64_t)(now - worker->since);
  /* relaxed: a figure of its own, which only this worker changes */
  atomic_store_explicit(
      total, atomic_load_explicit(total, memory_order_relaxed) + took,
      memory_order_relaxed);
}

/* Search until there is a task: NULL when the worker is to end. */
static fut_task *search(fut_worker *worker, unsigned share) {
  fut_threads *threads = worker->threads;
  fut_deadline until = FUT_NEVER;
  for (;;) {
    bool surplus = fut_idle_surplus(&threads->idle);
    fut_task *task = surplus ? NULL : look(worker, share);
    if (task)
      return task;
    if (fut_queue_closed(threads->queue) &&
        (surplus || !fut_threads_more(threads))) {
      worker->leaving = surplus;
      return NULL;
    }
    if (!surplus && look_around(worker))
      continue;
    if (threads->idle_timeout != FUT_NEVER && until == FUT_NEVER)
      until = fut_clock_now() + threads->idle_timeout;
    if (!sleep_idle(worker, until)) {
      worker->leaving = true;
      return NULL;
    }
  }
}

/* Tidy up until that is done or there is a task. The worker counts as busy: in
   the midst of it another is sooner at hand. */
static void tidy(fut_worker *worker) {
  fut_threads *threads = worker->threads;
  while (worker->report.untidy && worker->local && !worker->report.worn &&
         !fut_threads_more(threads) && !fut_queue_closed(threads->queue))
    threads->worker_ops->tidy(worker->local);
  if (worker->local && threads->worker_ops->settle)
    threads->worker_ops->settle(worker->local);
}

fut_task *fut_worker_next(fut_worker *worker) {
  fut_threads *threads = worker->threads;
  fut_task *task;
  uint64_t ticket;
  unsigned share = UINT_MAX; /* none ahead */
  if (!worker->searching) {  /* a new one is, until it has found a task */
    if (fut_queue_urgent(threads->queue) &&
        (task = fut_queue_pull_urgent(threads->queue)) != NULL)
      return task;
    if (fut_link_take(&worker->link, &ticket)) {
      worker->ran++;
      return ticket_task(ticket);
    }
    fut_deadline now = fut_clock_now();
    end_batch(worker, now);
    /* only when the tasks of the last batch were brief it pays to take some
       ahead, and then nobody waits long behind another */
    if (now - worker->since < (fut_deadline)worker->ran * BRIEF_NS)
      share = 2 * threads->max_workers;
    if (worker->report.untidy) {
      tidy(worker);
      now = fut_clock_now();
    }
    worker->since = now;
    fut_idle_search(&threads->idle);
    worker->searching = true;
    linger(threads);
  }
  task = search(worker, share);
  worker->searching = false;
  worker->since = fut_clock_now();
  worker->coarse = fut_clock_coarse();
  worker->ran = 1;
  if (fut_idle_found(&threads->idle) && fut_threads_more(threads))
    fut_threads_wake(threads);
  return task;
}
