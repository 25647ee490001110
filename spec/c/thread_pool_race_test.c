/* thread_pool_race_test.c - a thread pool whose users all come at once */
#include "thread_pool.h"

#include "support/cases.h"
#include "support/crew.h"
#include "support/gate.h"
#include "support/ledger.h"

/* --- nobody waits behind a long task -------------------------------------- */

/* Short jobs, of which all must end while a long one runs. */
typedef struct shorts {
  atomic_uint left;
  latch done;
} shorts;

static void run_short(job *self) {
  shorts *all = self->context;
  if (atomic_fetch_sub(&all->left, 1) == 1)
    latch_down(&all->done);
}

static void spawn_shorts(fut_executor *pool, fut_arena *arena, shorts *all,
                         unsigned count, unsigned *seed) {
  for (; count > 0; count--) {
    job *task = job_new(arena, run_short, all);
    if (dice(seed, 16) == 0)
      task->task.priority = (double)dice(seed, 3) - 1;
    fut_executor_submit(pool, &task->task);
    for (unsigned n = dice(seed, 8) == 0 ? dice(seed, 400) : 0; n > 0; n--)
      fut_thread_relax();
  }
}

/* All workers but one are occupied in the midst of short jobs. */
static void one_trial(fut_executor *pool, fut_arena *arena, unsigned workers,
                      unsigned *seed) {
  static const unsigned bursts[] = {0, 1, 2, 3, 5, 9, 20, 70};
  unsigned counts[8], total = 0;
  gate gates[8];
  for (unsigned i = 0; i < workers; i++)
    total += counts[i] = bursts[dice(seed, 8)];
  shorts all;
  atomic_init(&all.left, total);
  latch_init(&all.done, total ? 1 : 0);
  for (unsigned i = 0; i < workers; i++) {
    if (i > 0)
      gate_close(&gates[i], pool, arena, (double)dice(seed, 2));
    spawn_shorts(pool, arena, &all, counts[i], seed);
  }
  assert_true(latch_wait(&all.done));
  for (unsigned i = 1; i < workers; i++)
    assert_true(gate_entered(&gates[i]));
  for (unsigned i = 1; i < workers; i++)
    gate_open(&gates[i]);
  latch_fini(&all.done);
}

static void work_conserving(void **unused) {
  (void)unused;
  const unsigned sizes[] = {2, 3, 8};
  unsigned seed = 1;
  for (int i = 0; i < 3; i++) {
    fut_arena *arena = job_arena();
    fut_executor *pool = pool_new(sizes[i]);
    for (unsigned trial = scaled(i == 0 ? 2000 : 200); trial > 0; trial--)
      one_trial(pool, arena, sizes[i], &seed);
    pool_close(pool);
    fut_arena_close(arena);
  }
}

/* The same from the first task on, while workers are being started, and to
   the last, while they are about to end. */
static void from_first_to_last(void **unused) {
  (void)unused;
  unsigned seed = 2;
  for (unsigned trial = scaled(1000); trial > 0; trial--) {
    fut_arena *arena = job_arena();
    fut_executor *pool = pool_new(2);
    shorts all;
    unsigned before = dice(&seed, 4), after = dice(&seed, 30);
    atomic_init(&all.left, before + after);
    latch_init(&all.done, before + after ? 1 : 0);
    gate wide;
    spawn_shorts(pool, arena, &all, before, &seed);
    gate_close(&wide, pool, arena, (double)dice(&seed, 3) - 1);
    spawn_shorts(pool, arena, &all, after, &seed);
    fut_executor_shutdown(pool, false);
    assert_true(latch_wait(&all.done));
    assert_true(gate_entered(&wide));
    gate_open(&wide);
    pool_close(pool);
    latch_fini(&all.done);
    fut_arena_close(arena);
  }
}

/* --- several submitters --------------------------------------------------- */

#define SUBMITTERS 4
#define WINDOW 50 /* jobs a submitter has under way */

typedef struct traffic {
  fut_executor *pool;
  unsigned rounds;
  atomic_uint ran, cancelled, refused, ended, wrong;
  _Atomic(job *) marks[SUBMITTERS]; /* what others are welcome to cancel */
} traffic;

static void run_traffic(job *self) {
  traffic *all = self->context;
  if (self->number++ != 0) /* run before */
    atomic_fetch_add(&all->wrong, 1);
  atomic_fetch_add(&all->ran, 1);
}

static job *submit_traffic(traffic *all, fut_arena *arena, unsigned *seed) {
  job *task = job_new(arena, run_traffic, all);
  task->ended = &all->ended;
  if (dice(seed, 10) == 0)
    task->task.priority = (double)dice(seed, 5) - 2;
  if (pool_submit(all->pool, task) != FUT_OK)
    atomic_fetch_add(&all->refused, 1);
  return task;
}

/* Let others cancel a job, or cancel one of theirs. */
static void cancel_traffic(traffic *all, job *mine, unsigned *seed) {
  _Atomic(job *) *mark = &all->marks[dice(seed, SUBMITTERS)];
  job *other = atomic_exchange(mark, NULL);
  if (other) {
    atomic_fetch_add(&all->cancelled, fut_future_cancel(&other->task.future));
    fut_future_release(&other->task.future, NULL);
    return;
  }
  job_hold(mine);
  if (!atomic_compare_exchange_strong(mark, &other, mine))
    fut_future_release(&mine->task.future, NULL);
}

static void submit_and_cancel(void *context, unsigned index) {
  traffic *all = context;
  fut_arena *arena = job_arena();
  unsigned seed = index + 1;
  job *jobs[WINDOW] = {NULL};
  for (unsigned i = 0; i < all->rounds + WINDOW; i++) {
    job *old = jobs[i % WINDOW];
    if (old) {
      if (dice(&seed, 4) == 0)
        atomic_fetch_add(&all->cancelled, fut_future_cancel(&old->task.future));
      if (!await(&old->task.future))
        atomic_fetch_add(&all->wrong, 1);
      job_release(old);
      jobs[i % WINDOW] = NULL;
    }
    if (i < all->rounds) {
      jobs[i % WINDOW] = submit_traffic(all, arena, &seed);
      if (dice(&seed, 4) == 0)
        cancel_traffic(all, jobs[i % WINDOW], &seed);
    }
  }
  fut_arena_close(arena);
}

static void all_at_once(void **unused) {
  (void)unused;
  const unsigned sizes[] = {1, 2, 16};
  for (int i = 0; i < 3; i++) {
    traffic all = {.rounds = scaled(30000)};
    all.pool = pool_new(sizes[i]);
    crew_run(SUBMITTERS, submit_and_cancel, &all);
    for (int j = 0; j < SUBMITTERS; j++) {
      job *left = atomic_load(&all.marks[j]);
      if (left)
        fut_future_release(&left->task.future, NULL);
    }
    pool_close(all.pool);
    assert_int_equal(atomic_load(&all.wrong), 0);
    assert_int_equal(atomic_load(&all.refused), 0);
    assert_int_equal(atomic_load(&all.ran) + atomic_load(&all.cancelled),
                     SUBMITTERS * all.rounds);
    assert_int_equal(atomic_load(&all.ended), SUBMITTERS * all.rounds);
  }
}

/* --- cancelling against starting ------------------------------------------ */

#define BATCH 500

typedef struct contest {
  fut_executor *pool;
  job *jobs[BATCH];
  atomic_uint runs[BATCH];
} contest;

static void run_contest(job *self) {
  contest *all = self->context;
  atomic_fetch_add(&all->runs[self->number], 1);
}

static void cancel_or_start(void **unused) {
  (void)unused;
  fut_arena *arena = job_arena();
  contest all = {.pool = pool_new(2)};
  for (unsigned round = scaled(100000) / BATCH + 1; round > 0; round--) {
    for (unsigned i = 0; i < BATCH; i++) {
      atomic_store(&all.runs[i], 0);
      all.jobs[i] = job_new(arena, run_contest, &all);
      all.jobs[i]->number = i;
      pool_submit(all.pool, all.jobs[i]);
      if (i >= round % 16) {
        unsigned back = i - round % 16;
        bool cancelled = fut_future_cancel(&all.jobs[back]->task.future);
        if (cancelled)
          atomic_fetch_add(&all.runs[back], 100);
      }
    }
    for (unsigned i = 0; i < BATCH; i++) {
      assert_true(await(&all.jobs[i]->task.future));
      unsigned runs = atomic_load(&all.runs[i]);
      assert_true(runs == 1 || runs == 100);
      assert_int_equal(job_state(all.jobs[i]),
                       runs == 1 ? FUT_FINISHED : FUT_CANCELLED);
      job_release(all.jobs[i]);
    }
  }
  pool_close(all.pool);
  fut_arena_close(arena);
}

/* --- the end -------------------------------------------------------------- */

/* Submitters go on until they are refused; then all they submitted has ended
   when the pool has. */
typedef struct closing {
  fut_executor *pool;
  job *jobs[SUBMITTERS][BATCH];
  unsigned accepted[SUBMITTERS], refused[SUBMITTERS];
  atomic_uint submitted;
  fut_arena *arenas[SUBMITTERS];
} closing;

static void submit_until_refused(void *context, unsigned index) {
  closing *all = context;
  all->arenas[index] = job_arena();
  fut_err err = FUT_OK;
  for (unsigned i = 0; i < BATCH && err == FUT_OK; i++) {
    job *task = job_new(all->arenas[index], NULL, NULL);
    all->jobs[index][i] = task;
    err = pool_submit(all->pool, task);
    atomic_fetch_add(&all->submitted, 1);
    if (err == FUT_OK)
      all->accepted[index]++;
    else
      all->refused[index]++;
  }
}

static void refused_or_done(void **unused) {
  (void)unused;
  unsigned seed = 3;
  for (unsigned round = scaled(150); round > 0; round--) {
    closing *all = calloc(1, sizeof *all);
    all->pool = pool_new(1 + round % 4);
    crew submitters;
    crew_start(&submitters, SUBMITTERS, submit_until_refused, all);
    unsigned enough = dice(&seed, 200);
    while (atomic_load(&all->submitted) < enough)
      sched_yield();
    bool cancel = round % 2;
    fut_executor_shutdown(all->pool, cancel);
    assert_true(pool_over(all->pool));
    crew_join(&submitters);
    assert_int_equal(pool_stats(all->pool).workers, 0);
    assert_int_equal(pool_stats(all->pool).pending, 0);
    fut_object_release(&all->pool->object);
    for (int i = 0; i < SUBMITTERS; i++) {
      for (unsigned j = 0; j < all->accepted[i] + all->refused[i]; j++) {
        fut_state state = job_state(all->jobs[i][j]);
        if (j >= all->accepted[i])
          assert_int_equal(state, FUT_CANCELLED);
        else if (!cancel)
          assert_int_equal(state, FUT_FINISHED);
        else
          assert_true(fut_state_done(state));
        job_release(all->jobs[i][j]);
      }
      fut_arena_close(all->arenas[i]);
    }
    free(all);
  }
}

/* Everyone gives up the pool at once, one shuts it down, some submit. */
static void give_up(void *context, unsigned index) {
  fut_executor *pool = context;
  fut_arena *arena = job_arena();
  for (unsigned i = 0; i < 5; i++)
    pool_spawn(pool, arena, NULL, NULL);
  if (index == 0)
    fut_executor_shutdown(pool, false);
  fut_arena_close(arena);
  fut_object_release(&pool->object);
}

static bool no_blocks(void *context) {
  return atomic_load(&((ledger *)context)->blocks) == 0;
}

static void given_up_by_all(void **unused) {
  (void)unused;
  for (unsigned round = scaled(200); round > 0; round--) {
    ledger memory;
    ledger_open(&memory);
    fut_executor *pool = pool_new(1 + round % 3);
    for (int i = 1; i < 3; i++)
      fut_object_hold(&pool->object);
    crew_run(3, give_up, pool);
    assert_true(eventually(no_blocks, &memory));
    assert_int_equal(ledger_close(&memory), 0);
  }
}

static const struct CMUnitTest thread_pool_race_tests[] = {
    CASE("no short task waits behind a long one", work_conserving),
    CASE("nor while workers start, nor while they end", from_first_to_last),
    CASE("many submit and cancel at once: each task runs or not", all_at_once),
    CASE("cancelling and starting exclude each other", cancel_or_start),
    CASE("during shutdown a task is refused or done", refused_or_done),
    CASE("all give up the pool at the same time", given_up_by_all),
};

int main(void) {
  return cmocka_run_group_tests(thread_pool_race_tests, NULL, NULL);
}
