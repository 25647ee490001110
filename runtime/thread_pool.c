/* thread_pool.c - an executor whose workers are threads of this process

   A task's way: submit puts it into the queue and sees that somebody searches
   (idle.h). A searching worker takes it from the queue, and when many wait a
   few more into its own link; an idle worker takes what it can from the links
   of the others. Whoever moves the future to RUNNING runs the task.

   A worker whose task waits for something is replaced for the time: there are
   SPARES workers more than may run, and one may run for each that is blocked.
   When that goes on, there may be one too many; whichever is the next without
   a task sleeps then (idle.h).

   Who keeps the pool: its owners, by references, and each worker until it
   ends. When nobody has a handle any more, the last worker to fall asleep shuts
   the pool down: there is no task then, and nobody to submit one. When the last
   owner gives it up it is shut down; whoever of both is the last to leave frees
   it. `mutex` guards the workers' lives; no other lock is taken under it. The
   last worker to end after shutdown ends the future `terminated`. */
#include "thread_pool.h"

#include "check.h"
#include "handle.h"
#include "idle.h"
#include "memory.h"
#include "queue.h"
#include "spin.h"
#include "thread.h"
#include "waiter.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 32
#define SPARES FUT_SPARE_WORKERS
#define LINGER_TASKS 4   /* fewer than this are worth a pause */
#define LINGER_PAUSES 40 /* about 2 us */
#define BRIEF_NS 10000   /* tasks shorter than this are taken by the batch */
#define PATROL_NS 50000  /* how often to look after the links of others */

struct pool;

struct worker {
  fut_worker base; /* as its tasks know it */
  fut_link link;
  fut_sleeper sleeper;
  fut_spin spin;           /* worker only */
  bool searching;          /* worker only: counted in idle.searching */
  fut_deadline since;      /* worker only: when it last took a batch */
  unsigned ran;            /* worker only: tasks taken since, that one too */
  fut_deadline patrolled;  /* worker only: when it last looked at the links */
  atomic_uint seen;        /* atomic: how far its link was at a patrol */
  fut_worker_local *local; /* worker only */
  struct pool *pool;       /* set once; a reference of its own */
  fut_thread thread;       /* guarded by the pool's mutex */
  bool joinable;           /* guarded by the pool's mutex */
};

struct pool {
  fut_executor executor;
  fut_queue *queue;
  fut_idle idle;
  unsigned max_workers;             /* set once */
  char name[NAME_SIZE];             /* set once */
  fut_object *environment;          /* set once; may be NULL */
  const fut_worker_ops *worker_ops; /* set once; may be NULL */
  fut_mutex mutex;
  unsigned alive;      /* guarded by mutex: started and not ended */
  atomic_uint keepers; /* atomic: workers, and 1 for all owners */
  atomic_uint started; /* atomic, changed under mutex: ever started */
  _Atomic(struct worker *) workers[]; /* atomic: the first `started` are set;
                                  they stay until the pool goes */
};

/* --- looking for a task ------------------------------------------------- */

static fut_task *ticket_task(uint64_t ticket) {
  return (fut_task *)(uintptr_t)ticket;
}

/* Take a task from the link of another worker. */
static fut_task *steal(struct pool *pool, const struct worker *thief) {
  unsigned count = atomic_load(&pool->started);
  for (unsigned i = 0; i < count; i++) {
    struct worker *other =
        atomic_load(&pool->workers[(thief->base.number + i) % count]);
    uint64_t ticket;
    if (other && other != thief && fut_link_take(&other->link, &ticket))
      return ticket_task(ticket);
  }
  return NULL;
}

/* Whether the link of a worker has stood still since the last patrol. */
static bool stalled(struct worker *worker) {
  unsigned taken = fut_link_taken(&worker->link);
  /* relaxed: two patrols at once only take over too early */
  return fut_link_count(&worker->link) > 0 &&
         atomic_exchange_explicit(&worker->seen, taken, memory_order_relaxed) ==
             taken;
}

/* Take over what was taken ahead by a worker that is stuck in a long task: it
   is older than all that the queue holds. */
static fut_task *patrol(struct worker *worker) {
  struct pool *pool = worker->pool;
  unsigned count = atomic_load(&pool->started);
  for (unsigned i = 0; i < count; i++) {
    struct worker *other = atomic_load(&pool->workers[i]);
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

/* Whether there is a task to take anywhere. */
static bool more(struct pool *pool) {
  if (fut_queue_count(pool->queue) > 0)
    return true;
  unsigned count = atomic_load(&pool->started);
  for (unsigned i = 0; i < count; i++) {
    struct worker *worker = atomic_load(&pool->workers[i]);
    if (worker && fut_link_count(&worker->link) > 0)
      return true;
  }
  return false;
}

/* What ends a sleep. */
static bool anything(struct pool *pool) {
  return fut_queue_closed(pool->queue) ||
         (fut_idle_permitted(&pool->idle) && more(pool));
}

static bool surplus(struct pool *pool) {
  return fut_idle_surplus(&pool->idle) && !fut_queue_closed(pool->queue);
}

/* If few tasks wait and nobody waits for them, pause before taking any: more
   will have gathered then, and one trip to the queue serves them all. */
static void linger(struct pool *pool) {
  if (fut_waiter_any() || fut_queue_count(pool->queue) >= LINGER_TASKS ||
      fut_queue_urgent(pool->queue))
    return;
  for (int i = 0; i < LINGER_PAUSES; i++)
    fut_thread_relax();
}

static fut_task *look(struct worker *worker, unsigned share) {
  struct pool *pool = worker->pool;
  fut_task *task = NULL;
  if (worker->since - worker->patrolled > PATROL_NS) {
    worker->patrolled = worker->since;
    task = patrol(worker);
  }
  if (task == NULL)
    task = fut_queue_pull(pool->queue, &worker->link, share);
  if (task == NULL)
    task = steal(pool, worker);
  if (task == NULL)
    task = fut_queue_pull_low(pool->queue);
  return task;
}

static bool look_around(struct worker *worker) {
  if (!fut_spin_begin(&worker->spin))
    return false;
  bool found;
  do
    found = fut_queue_closed(worker->pool->queue) || more(worker->pool);
  while (!found && fut_spin_again(&worker->spin));
  fut_spin_end(&worker->spin, found);
  return found;
}

static void close_abandoned(struct pool *pool);

/* The last look around before the sleep, when the worker counts as asleep. */
static bool last_look(void *context) {
  close_abandoned(context);
  return anything(context);
}

static void sleep_idle(struct worker *worker) {
  struct pool *pool = worker->pool;
  fut_spin_asleep(&worker->spin);
  fut_spin_count(-1);
  fut_idle_sleep(&pool->idle, &worker->sleeper, last_look, pool, FUT_NEVER);
  fut_spin_count(1);
  fut_spin_woken(&worker->spin);
}

static void wake(struct pool *pool);

/* Return the next task, or NULL when the worker is to end. Blocks. */
static fut_task *next(struct worker *worker) {
  struct pool *pool = worker->pool;
  fut_task *task;
  uint64_t ticket;
  unsigned share = UINT_MAX; /* none ahead */
  if (!worker->searching) {  /* a new one is, until it has found a task */
    if (fut_queue_urgent(pool->queue) &&
        (task = fut_queue_pull_urgent(pool->queue)) != NULL)
      return task;
    if (fut_link_take(&worker->link, &ticket)) {
      worker->ran++;
      return ticket_task(ticket);
    }
    /* only when the tasks of the last batch were brief it pays to take some
       ahead, and then nobody waits long behind another */
    fut_deadline now = fut_clock_now();
    if (now - worker->since < (fut_deadline)worker->ran * BRIEF_NS)
      share = 2 * pool->max_workers;
    worker->since = now;
    fut_idle_search(&pool->idle);
    worker->searching = true;
    linger(pool);
  }
  bool idle;
  while ((idle = surplus(pool)) || (task = look(worker, share)) == NULL) {
    task = NULL;
    if (fut_queue_closed(pool->queue) && !more(pool))
      break;
    if (idle || !look_around(worker))
      sleep_idle(worker);
  }
  worker->searching = false;
  worker->since = fut_clock_now();
  worker->ran = 1;
  if (fut_idle_found(&pool->idle) && more(pool))
    wake(pool);
  return task;
}

/* --- the workers' lives -------------------------------------------------- */

/* Whether no worker runs, nor will. Assumes mutex held. */
static bool over(struct pool *pool) {
  return pool->alive == 0 && fut_queue_closed(pool->queue) &&
         fut_queue_count(pool->queue) == 0;
}

/* End `terminated` if that time has come. */
static void settle(struct pool *pool) {
  fut_mutex_lock(&pool->mutex);
  bool time = over(pool);
  fut_mutex_unlock(&pool->mutex);
  if (time)
    fut_future_end(pool->executor.terminated, FUT_FINISHED);
}

static void pool_leave(struct pool *pool);

static void open_local(struct worker *worker) {
  const fut_worker_ops *ops = worker->pool->worker_ops;
  if (ops->open(worker->pool->environment, &worker->local) == FUT_OK &&
      ops->attach)
    ops->attach(worker->local, &worker->base);
}

static void worker_main(void *argument) {
  struct worker *worker = argument;
  struct pool *pool = worker->pool;
  char name[NAME_SIZE + 16];
  snprintf(name, sizeof name, "%s-%u", pool->name, worker->base.number);
  fut_thread_name(name);
  fut_spin_count(1);
  fut_task *task;
  while ((task = next(worker)) != NULL) {
    if (worker->local == NULL && pool->worker_ops)
      open_local(worker);
    fut_task_run(task, worker->local);
  }
  if (worker->local)
    pool->worker_ops->close(worker->local);
  fut_spin_count(-1);
  fut_mutex_lock(&pool->mutex);
  pool->alive--;
  fut_mutex_unlock(&pool->mutex);
  settle(pool);
  pool_leave(pool);
}

static const fut_worker_kind worker_kind;

static struct worker *worker_new(struct pool *pool) {
  struct worker *worker = fut_memory_new(sizeof *worker);
  if (worker == NULL)
    return NULL;
  worker->base.kind = &worker_kind;
  worker->base.executor = &pool->executor;
  fut_link_init(&worker->link);
  fut_spin_init(&worker->spin);
  worker->sleeper.listed = false;
  worker->sleeper.next = NULL;
  worker->sleeper.parker = fut_parker_new();
  if (worker->sleeper.parker == NULL) {
    fut_memory_free(worker);
    return NULL;
  }
  worker->searching = true; /* counted by fut_idle_wake() */
  worker->since = worker->patrolled = 0;
  worker->ran = 0;
  atomic_init(&worker->seen, UINT_MAX);
  worker->local = NULL;
  worker->pool = pool;
  return worker;
}

static void worker_free(struct worker *worker) {
  fut_parker_free(worker->sleeper.parker);
  fut_memory_free(worker);
}

/* Cancel all that wait in the queue and in links, and let go of them. */
static void cancel_all(struct pool *pool) {
  struct worker nobody = {.base = {.number = 0}};
  fut_link spare;
  fut_link_init(&spare);
  fut_task *task;
  while ((task = fut_queue_pull(pool->queue, &spare, UINT32_MAX)) != NULL ||
         (task = steal(pool, &nobody)) != NULL ||
         (task = fut_queue_pull_low(pool->queue)) != NULL)
    fut_executor_refuse(task, FUT_OK);
}

/* Start a thread for the worker. Assumes mutex held. */
static fut_err start_thread(struct pool *pool, struct worker *worker) {
  unsigned index = atomic_load(&pool->started);
  worker->base.number = index + 1;
  atomic_fetch_add(&pool->keepers, 1);
  fut_err err = fut_thread_start(&worker->thread, worker_main, worker);
  if (err != FUT_OK) {
    atomic_fetch_sub(&pool->keepers, 1);
    return err;
  }
  worker->joinable = true;
  pool->alive++;
  atomic_store(&pool->workers[index], worker);
  atomic_store(&pool->started, index + 1);
  return FUT_OK;
}

/* Start the worker that fut_idle_wake() has counted as searching. If that
   fails, the others do the work; where there are none but blocked ones,
   nothing is left waiting: nobody else starts one meanwhile, as this one
   counts. */
static fut_err start(struct pool *pool) {
  struct worker *worker = worker_new(pool);
  fut_err err = FUT_ENOMEM;
  fut_mutex_lock(&pool->mutex);
  bool late = over(pool); /* others have done it all, and ended */
  if (worker && !late)
    err = start_thread(pool, worker);
  bool alone = pool->alive <= fut_idle_blocked(&pool->idle);
  fut_mutex_unlock(&pool->mutex);
  if (err == FUT_OK)
    return FUT_OK;
  if (worker)
    worker_free(worker);
  if (late || !alone)
    err = FUT_OK;
  else
    cancel_all(pool);
  fut_idle_not_started(&pool->idle, alone);
  return err;
}

/* See that somebody searches. An error says that what waited was cancelled. */
static fut_err wake_or_start(struct pool *pool) {
  fut_err err = FUT_OK;
  while (fut_idle_wake(&pool->idle) == FUT_WAKE_START) {
    fut_err failed = start(pool);
    if (failed == FUT_OK)
      break;
    err = failed;
    settle(pool);
    if (!more(pool)) /* others may have relied on it since */
      break;
  }
  return err;
}

static void wake(struct pool *pool) { wake_or_start(pool); }

/* --- tasks that wait ------------------------------------------------------ */

static fut_err worker_block(fut_worker *base) {
  struct pool *pool = ((struct worker *)base)->pool;
  if (!fut_idle_block(&pool->idle))
    return FUT_EWAITING;
  fut_err err = more(pool) ? wake_or_start(pool) : FUT_OK;
  if (err != FUT_OK)
    fut_idle_unblock(&pool->idle);
  else
    fut_spin_count(-1);
  return err;
}

static void worker_unblock(fut_worker *base) {
  fut_spin_count(1);
  fut_idle_unblock(&((struct worker *)base)->pool->idle);
}

static void worker_run(fut_worker *base, fut_task *task) {
  fut_task_kind_of(task)->run(task, ((struct worker *)base)->local);
}

static const fut_worker_kind worker_kind = {worker_block, worker_unblock,
                                            worker_run};

/* --- the executor --------------------------------------------------------- */

static fut_err pool_submit(fut_executor *executor, fut_task *task) {
  struct pool *pool = (struct pool *)executor;
  if (fut_queue_push(pool->queue, task)) /* the task is no longer ours */
    return wake_or_start(pool);
  return fut_executor_refuse(task, FUT_ESHUTDOWN);
}

static void pool_shutdown(fut_executor *executor, bool cancel_futures) {
  struct pool *pool = (struct pool *)executor;
  fut_queue_close(pool->queue);
  if (cancel_futures)
    cancel_all(pool);
  fut_idle_wake_all(&pool->idle);
  settle(pool);
}

/* Shut the pool down if nobody has a handle and all workers sleep. */
static void close_abandoned(struct pool *pool) {
  if (fut_handle_none(&pool->executor) && !fut_queue_closed(pool->queue) &&
      fut_idle_all_asleep(&pool->idle) && !more(pool))
    pool_shutdown(&pool->executor, false);
}

static void pool_abandon(fut_executor *executor) {
  close_abandoned((struct pool *)executor);
}

/* Join every worker that can be joined but the calling thread. */
static void pool_join(fut_executor *executor) {
  struct pool *pool = (struct pool *)executor;
  unsigned count = atomic_load(&pool->started);
  for (unsigned i = 0; i < count; i++) {
    struct worker *worker = atomic_load(&pool->workers[i]);
    fut_mutex_lock(&pool->mutex);
    bool joinable = worker->joinable;
    worker->joinable = false;
    fut_mutex_unlock(&pool->mutex);
    if (!joinable)
      continue;
    if (pthread_equal(worker->thread.handle, pthread_self()))
      fut_thread_detach(worker->thread);
    else
      fut_thread_join(worker->thread);
  }
}

static void pool_stats(fut_executor *executor, fut_executor_stats *stats) {
  struct pool *pool = (struct pool *)executor;
  fut_mutex_lock(&pool->mutex);
  stats->workers = pool->alive;
  fut_mutex_unlock(&pool->mutex);
  stats->idle = fut_idle_count(&pool->idle);
  stats->pending = fut_queue_count(pool->queue);
  unsigned count = atomic_load(&pool->started);
  for (unsigned i = 0; i < count; i++)
    stats->pending += fut_link_count(&atomic_load(&pool->workers[i])->link);
}

static void pool_free(struct pool *pool) {
  pool_join(&pool->executor);
  unsigned count = atomic_load(&pool->started);
  for (unsigned i = 0; i < count; i++)
    worker_free(atomic_load(&pool->workers[i]));
  fut_queue_free(pool->queue);
  fut_idle_fini(&pool->idle);
  fut_mutex_fini(&pool->mutex);
  fut_executor_fini(&pool->executor);
  if (pool->environment)
    fut_object_release(pool->environment);
  fut_memory_free(pool);
}

/* Keep the pool no longer. */
static void pool_leave(struct pool *pool) {
  if (atomic_fetch_sub(&pool->keepers, 1) == 1)
    pool_free(pool);
}

/* The last owner gives it up. */
static void pool_give_up(fut_object *object) {
  struct pool *pool = (struct pool *)object;
  if (fut_executor_forked(&pool->executor))
    return; /* its locks and threads are the parent's */
  pool_shutdown(&pool->executor, false);
  pool_leave(pool);
}

static const fut_executor_ops pool_ops = {
    .object = {"thread pool", pool_give_up},
    .submit = pool_submit,
    .shutdown = pool_shutdown,
    .join = pool_join,
    .abandon = pool_abandon,
    .stats = pool_stats,
    .broken = FUT_EBROKENTHREADS};

fut_err fut_thread_pool_new(const fut_pool_options *options,
                            const fut_worker_ops *ops,
                            fut_executor **executor) {
  unsigned workers = options->max_workers;
  unsigned places = workers + SPARES;
  CHECK(workers >= 1 && workers <= FUT_WORKERS_LIMIT);
  struct pool *pool =
      fut_memory_new(sizeof *pool + places * sizeof(struct worker *));
  if (pool == NULL)
    return FUT_ENOMEM;
  fut_err err =
      fut_executor_init(&pool->executor, &pool_ops, options->max_pending);
  if (err != FUT_OK)
    goto free_pool;
  err = FUT_ENOMEM;
  pool->queue = fut_queue_new();
  if (pool->queue == NULL)
    goto fini_executor;
  fut_idle_init(&pool->idle, workers);
  fut_idle_add_spares(&pool->idle, SPARES);
  fut_mutex_init(&pool->mutex);
  pool->max_workers = workers;
  snprintf(pool->name, sizeof pool->name, "%s", options->name);
  pool->environment = options->environment;
  if (pool->environment)
    fut_object_hold(pool->environment);
  pool->worker_ops = ops;
  pool->alive = 0;
  atomic_init(&pool->keepers, 1);
  atomic_init(&pool->started, 0);
  for (unsigned i = 0; i < places; i++)
    atomic_init(&pool->workers[i], NULL);
  *executor = &pool->executor;
  return FUT_OK;

fini_executor:
  fut_executor_fini(&pool->executor);
free_pool:
  fut_memory_free(pool);
  return err;
}
