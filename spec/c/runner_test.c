/* runner_test.c - the worker that runs a task, as what the task calls knows it
 */
#include "runner.h"

#include "support/gate.h"
#include "support/ledger.h"
#include "support/pool.h"

struct fut_worker_local {
  fut_runner *runner;
};

static fut_err open_local(fut_object *environment, fut_runner *runner,
                          fut_worker_report *report, fut_worker_local **local,
                          char **why) {
  (void)environment;
  (void)report;
  (void)why;
  *local = fut_memory_new(sizeof **local);
  if (*local == NULL)
    return FUT_ENOMEM;
  (*local)->runner = runner;
  return FUT_OK;
}

static void close_local(fut_worker_local *local) { fut_memory_free(local); }

static const fut_worker_ops local_ops = {.open = open_local,
                                         .close = close_local};

static fut_arena *arena;
static fut_executor *pool;

static void begin(unsigned workers) {
  fut_pool_options options = fut_pool_options_of(workers, "test");
  assert_int_equal(fut_thread_pool_new(&options, &local_ops, &pool), FUT_OK);
  arena = job_arena();
}

static void end(void) {
  pool_close(pool);
  fut_arena_close(arena);
}

/* --- what it tells -------------------------------------------------------- */

static void look(job *self) {
  fut_runner *runner = self->local->runner;
  assert_ptr_equal(runner->executor, pool);
  *(unsigned *)self->context = runner->number;
}

static void known(void **unused) {
  (void)unused;
  unsigned number = 0;
  begin(1);
  pool_spawn(pool, arena, look, &number);
  end();
  assert_int_equal(number, 1);
}

static void nobody(void **unused) {
  (void)unused;
  assert_int_equal(fut_runner_block(NULL), FUT_OK);
  fut_runner_unblock(NULL);
}

/* --- jobs that wait ------------------------------------------------------- */

typedef struct pair {
  latch blocked, go;
  fut_err err;
} pair;

static void pair_init(pair *both) {
  latch_init(&both->blocked, 1);
  latch_init(&both->go, 1);
  both->err = FUT_OK;
}

static void pair_fini(pair *both) {
  latch_fini(&both->blocked);
  latch_fini(&both->go);
}

static void wait_blocked(job *self) {
  pair *both = self->context;
  both->err = fut_runner_block(self->local->runner);
  latch_down(&both->blocked);
  latch_wait(&both->go);
  if (both->err == FUT_OK)
    fut_runner_unblock(self->local->runner);
}

static void open_gate(job *self) { latch_down(&((pair *)self->context)->go); }

/* The only worker waits for what comes into the queue before or after. */
static void replaced(void **unused) {
  (void)unused;
  for (int before = 0; before < 2; before++) {
    begin(1);
    pair both;
    pair_init(&both);
    gate busy;
    gate_close(&busy, pool, arena, 0);
    assert_true(gate_entered(&busy));
    pool_spawn(pool, arena, wait_blocked, &both);
    if (before)
      pool_spawn(pool, arena, open_gate, &both);
    gate_open(&busy);
    assert_true(latch_wait(&both.blocked));
    if (!before)
      pool_spawn(pool, arena, open_gate, &both);
    end();
    assert_int_equal(both.err, FUT_OK);
    pair_fini(&both);
  }
}

typedef struct crowd {
  atomic_uint inside, most;
} crowd;

static void enter(job *self) {
  crowd *all = self->context;
  unsigned inside = atomic_fetch_add(&all->inside, 1) + 1;
  unsigned most = atomic_load(&all->most);
  while (inside > most &&
         !atomic_compare_exchange_weak(&all->most, &most, inside))
    ;
  for (int i = 0; i < 100; i++)
    fut_thread_relax();
  atomic_fetch_sub(&all->inside, 1);
}

/* When those that waited go on, no more run at a time than are allowed. */
static void as_many_as_before(void **unused) {
  (void)unused;
  begin(2);
  enum { WAITING = 20 };
  pair both[WAITING];
  for (int i = 0; i < WAITING; i++) {
    pair_init(&both[i]);
    pool_spawn(pool, arena, wait_blocked, &both[i]);
    assert_true(latch_wait(&both[i].blocked));
    assert_int_equal(both[i].err, FUT_OK);
  }
  gate busy[2];
  for (int i = 0; i < 2; i++) {
    gate_close(&busy[i], pool, arena, 0);
    assert_true(gate_entered(&busy[i]));
  }
  for (int i = 0; i < WAITING; i++)
    latch_down(&both[i].go);
  crowd all = {0};
  for (unsigned i = 0; i < scaled(2000); i++)
    pool_spawn(pool, arena, enter, &all);
  for (int i = 0; i < 2; i++)
    gate_open(&busy[i]);
  end();
  assert_in_range(atomic_load(&all.most), 1, 2);
  for (int i = 0; i < WAITING; i++)
    pair_fini(&both[i]);
}

/* One is left to run, and is told so; the others go on as soon as they may. */
static void refused(void **unused) {
  (void)unused;
  enum { ALL = FUT_SPARE_WORKERS + 1 };
  begin(1);
  static pair both[ALL];
  for (unsigned i = 0; i < ALL; i++) {
    pair_init(&both[i]);
    pool_spawn(pool, arena, wait_blocked, &both[i]);
    assert_true(latch_wait(&both[i].blocked));
    assert_int_equal(both[i].err, i + 1 < ALL ? FUT_OK : FUT_EWAITING);
  }
  for (unsigned i = 0; i < ALL; i++)
    latch_down(&both[i].go);
  end();
  for (unsigned i = 0; i < ALL; i++)
    pair_fini(&both[i]);
}

/* Where nobody can take over, what waits is cancelled rather than forgotten. */
static void no_memory(void **unused) {
  (void)unused;
  ledger memory;
  ledger_open(&memory);
  begin(1);
  pair both;
  pair_init(&both);
  gate busy;
  gate_close(&busy, pool, arena, 0);
  assert_true(gate_entered(&busy));
  job *other = job_new(arena, NULL, NULL);
  pool_spawn(pool, arena, wait_blocked, &both);
  assert_int_equal(pool_submit(pool, other), FUT_OK);
  ledger_allow(&memory, 0);
  latch_down(&busy.opened);
  assert_true(latch_wait(&both.blocked));
  ledger_allow(&memory, -1);
  gate_fini(&busy);
  assert_int_equal(both.err, FUT_ENOMEM);
  assert_int_equal(job_state(other), FUT_CANCELLED);
  latch_down(&both.go);
  job_release(other);
  end();
  assert_int_equal(ledger_close(&memory), 0);
  pair_fini(&both);
}

/* --- inside of each other ------------------------------------------------- */

static void run_other(job *self) {
  job *other = self->context;
  fut_runner_run(self->local->runner, &other->task);
  fut_future_release(&other->task.future, NULL);
}

static void count(job *self) {
  atomic_fetch_add((atomic_uint *)self->context, 1);
}

static void inside(void **unused) {
  (void)unused;
  for (unsigned round = 0; round < scaled(200); round++) {
    unsigned workers = 1 + round % 2;
    begin(workers);
    gate busy[2];
    for (unsigned i = 0; i < workers; i++) {
      gate_close(&busy[i], pool, arena, 0);
      assert_true(gate_entered(&busy[i]));
    }
    atomic_uint ran = 0;
    job *other = job_new(arena, count, &ran);
    fut_object_hold(&other->task.future.object); /* while it may run inside */
    pool_spawn(pool, arena, run_other, other);
    assert_int_equal(pool_submit(pool, other), FUT_OK);
    for (unsigned i = 0; i < workers; i++)
      gate_open(&busy[i]);
    assert_true(await(&other->task.future));
    job_release(other);
    end();
    assert_int_equal(atomic_load(&ran), 1);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE("a task knows number and executor of its worker", known),
      CASE("a thread that is no worker is not replaced", nobody),
      CASE("a worker that waits is replaced", replaced),
      CASE("afterwards no more run at a time than before", as_many_as_before),
      CASE("the last one that could run may not wait", refused),
      CASE("a worker that cannot be replaced does not wait", no_memory),
      CASE("a task that runs inside of another runs once", inside),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
