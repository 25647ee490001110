/* thread_pool_failure_test.c - a thread pool short of memory and of threads */
#include "thread_pool.h"

#include "support/cases.h"
#include "support/child.h"
#include "support/crew.h"
#include "support/gate.h"
#include "support/ledger.h"

#include <sys/resource.h>

static ledger memory;
static fut_arena *arena;

/* All memory goes through this: it can stop one thread as it allocates. */
static struct stop {
  atomic_bool armed; /* atomic: the next new block is the one */
  latch reached, go;
  bool fail; /* set once, before go: there is no memory then */
} stop;

static void *stop_call(void *context, void *block, size_t size) {
  if (block == NULL && atomic_exchange(&stop.armed, false)) {
    latch_down(&stop.reached);
    latch_wait(&stop.go);
    if (stop.fail)
      return NULL;
  }
  return ledger_call(context, block, size);
}

static int begin(void **unused) {
  (void)unused;
  arena = job_arena();
  fut_arena_give(arena, fut_arena_take(arena), true); /* has memory now */
  ledger_open(&memory);
  fut_memory_set(stop_call, &memory);
  latch_init(&stop.reached, 1);
  latch_init(&stop.go, 1);
  return 0;
}

static int end(void **unused) {
  (void)unused;
  long blocks = ledger_close(&memory);
  latch_fini(&stop.reached);
  latch_fini(&stop.go);
  fut_arena_close(arena);
  return blocks == 0 ? 0 : -1;
}

static void count(job *self) {
  atomic_fetch_add((atomic_uint *)self->context, 1);
}

/* Jobs are made while there is memory for them. */
static job *ready_job(atomic_uint *ran) {
  ledger_allow(&memory, -1);
  return job_new(arena, count, ran);
}

static void let_go(job *task) {
  ledger_allow(&memory, -1);
  job_release(task);
}

/* --- memory --------------------------------------------------------------- */

static void no_pool(void **unused) {
  (void)unused;
  fut_pool_options options = fut_pool_options_of(2, "poor");
  fut_err err;
  long allowed = 0;
  do {
    fut_executor *pool = NULL;
    ledger_allow(&memory, allowed++);
    err = fut_thread_pool_new(&options, NULL, &pool);
    ledger_allow(&memory, -1);
    if (err == FUT_OK)
      pool_close(pool);
    else {
      assert_int_equal(err, FUT_ENOMEM);
      assert_null(pool);
      assert_int_equal(atomic_load(&memory.blocks), 0);
    }
  } while (err != FUT_OK);
  assert_true(allowed > 3);
}

static void first_worker(void **unused) {
  (void)unused;
  fut_err err;
  long allowed = 0;
  do {
    fut_executor *pool = pool_new(2);
    atomic_uint ran = 0;
    job *task = ready_job(&ran);
    ledger_allow(&memory, allowed++);
    err = pool_submit(pool, task);
    ledger_allow(&memory, -1);
    if (err == FUT_OK)
      assert_true(await(&task->task.future));
    else
      assert_int_equal(job_state(task), FUT_CANCELLED);
    let_go(task);
    assert_int_equal(atomic_load(&ran), err == FUT_OK);
    task = ready_job(&ran); /* with memory it works again */
    assert_int_equal(pool_submit(pool, task), FUT_OK);
    assert_true(await(&task->task.future));
    let_go(task);
    pool_close(pool);
  } while (err != FUT_OK);
  assert_true(allowed > 1);
}

static void next_worker(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(3);
  gate at;
  gate_close(&at, pool, arena, 0);
  assert_true(gate_entered(&at));
  atomic_uint ran = 0;
  job *tasks[4];
  for (int i = 0; i < 4; i++) {
    tasks[i] = ready_job(&ran);
    ledger_allow(&memory, 0);
    assert_int_equal(pool_submit(pool, tasks[i]), FUT_OK);
  }
  assert_int_equal(pool_stats(pool).workers, 1);
  assert_int_equal(pool_stats(pool).pending, 4);
  ledger_allow(&memory, -1);
  gate_open(&at);
  for (int i = 0; i < 4; i++) {
    assert_true(await(&tasks[i]->task.future));
    let_go(tasks[i]);
  }
  assert_int_equal(atomic_load(&ran), 4);
  pool_close(pool);
}

/* --- a worker that is long in starting ------------------------------------ */

/* What another thread submits. */
typedef struct order {
  fut_executor *pool;
  job *task;
  fut_err err;
  unsigned workers; /* right after */
} order;

static void submit_stopped(void *context, unsigned index) {
  (void)index;
  order *self = context;
  atomic_store(&stop.armed, true);
  self->err = pool_submit(self->pool, self->task);
  self->workers = pool_stats(self->pool).workers;
}

static bool one_idle(void *context) { return pool_stats(context).idle == 2; }

/* While one thread is about to start a worker, a task of another relies on
   that; the start fails, so somebody else must come. */
static void relied_on(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(2);
  atomic_uint ran = 0;
  job *first = ready_job(&ran), *second = ready_job(&ran);
  gate at;
  gate_close(&at, pool, arena, 0);
  assert_true(gate_entered(&at));
  stop.fail = true;
  order slow = {.pool = pool, .task = first};
  crew submitter;
  crew_start(&submitter, 1, submit_stopped, &slow);
  assert_true(latch_wait(&stop.reached));
  gate_open(&at);
  assert_true(await(&first->task.future));
  assert_true(eventually(one_idle, pool)); /* and the other about to start */
  pause_for(0.005);                        /* time to fall asleep, if it may */
  assert_int_equal(pool_submit(pool, second), FUT_OK);
  latch_down(&stop.go);
  crew_join(&submitter);
  assert_int_equal(slow.err, FUT_OK);
  assert_true(await(&second->task.future));
  let_go(first);
  let_go(second);
  pool_close(pool);
}

/* The same where it was to be the only worker: both tasks are cancelled. */
static void relied_on_in_vain(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(2);
  atomic_uint ran = 0;
  job *first = ready_job(&ran), *second = ready_job(&ran);
  stop.fail = true;
  order slow = {.pool = pool, .task = first};
  crew submitter;
  crew_start(&submitter, 1, submit_stopped, &slow);
  assert_true(latch_wait(&stop.reached));
  assert_int_equal(pool_submit(pool, second), FUT_OK);
  latch_down(&stop.go);
  crew_join(&submitter);
  assert_int_equal(slow.err, FUT_ENOMEM);
  assert_int_equal(job_state(first), FUT_CANCELLED);
  assert_int_equal(job_state(second), FUT_CANCELLED);
  assert_int_equal(atomic_load(&ran), 0);
  let_go(first);
  let_go(second);
  pool_close(pool);
}

/* Others have done all there was, and ended, before the worker is started. */
static void too_late(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(2);
  atomic_uint ran = 0;
  job *first = ready_job(&ran);
  gate at;
  gate_close(&at, pool, arena, 0);
  assert_true(gate_entered(&at));
  stop.fail = false;
  order slow = {.pool = pool, .task = first};
  crew submitter;
  crew_start(&submitter, 1, submit_stopped, &slow);
  assert_true(latch_wait(&stop.reached));
  fut_executor_shutdown(pool, false);
  gate_open(&at);
  assert_true(pool_over(pool));
  latch_down(&stop.go);
  crew_join(&submitter);
  assert_int_equal(slow.err, FUT_OK);
  assert_int_equal(slow.workers, 0);
  assert_int_equal(job_state(first), FUT_FINISHED);
  let_go(first);
  fut_object_release(&pool->object);
}

/* --- threads -------------------------------------------------------------- */

enum { RIGHT = 42, NO_LIMIT = 43, SMALLER = 1, NONE = 2 };

static bool limit_threads(bool limit) {
  struct rlimit now;
  getrlimit(RLIMIT_NPROC, &now);
  now.rlim_cur = limit ? 0 : now.rlim_max;
  return setrlimit(RLIMIT_NPROC, &now) == 0;
}

static void *do_nothing(void *argument) { return argument; }

static bool limit_works(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, do_nothing, NULL) != 0)
    return true;
  pthread_join(thread, NULL);
  return false;
}

static int too_few_threads(void *context) {
  (void)context;
  if (getuid() == 0 && setuid(65534) != 0)
    return NO_LIMIT;
  atomic_uint ran = 0;
  job *first = ready_job(&ran), *second = ready_job(&ran);
  fut_executor *pool = pool_new(3);
  if (!limit_threads(true) || !limit_works())
    return NO_LIMIT;
  fut_err err = pool_submit(pool, first);
  if (err != FUT_ETHREAD || job_state(first) != FUT_CANCELLED)
    return NONE;
  limit_threads(false);
  gate at;
  gate_close(&at, pool, arena, 0);
  if (!gate_entered(&at))
    return NONE;
  limit_threads(true);
  err = pool_submit(pool, second);
  if (err != FUT_OK || pool_stats(pool).workers != 1)
    return SMALLER;
  gate_open(&at);
  if (!await(&second->task.future))
    return SMALLER;
  limit_threads(false);
  pool_close(pool);
  return atomic_load(&ran) == 1 ? RIGHT : SMALLER;
}

static void no_threads(void **unused) {
  (void)unused;
  int status = child_run(too_few_threads, NULL);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == NO_LIMIT)
    skip();
  assert_int_equal(WEXITSTATUS(status), RIGHT);
}

#define POOR_CASE(sentence, function)                                          \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest thread_pool_failure_tests[] = {
    POOR_CASE("without threads it reports that, with few it works on",
              no_threads),
    POOR_CASE("without memory it is not made, and nothing is lost", no_pool),
    POOR_CASE("without memory for the first worker the task is cancelled",
              first_worker),
    POOR_CASE("without memory for another worker the first does it all",
              next_worker),
    POOR_CASE("a sleeper comes where a worker could not be started", relied_on),
    POOR_CASE("after the end no worker is started", too_late),
    POOR_CASE("what relied on the only worker ends with it", relied_on_in_vain),
};

int main(void) {
  return cmocka_run_group_tests(thread_pool_failure_tests, NULL, NULL);
}
