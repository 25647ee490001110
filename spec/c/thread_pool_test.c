/* thread_pool_test.c - an executor whose workers are threads */
#include "thread_pool.h"

#include "support/cases.h"
#include "support/gate.h"
#include "support/ledger.h"
#include "support/pool.h"

#include <sys/resource.h>

static fut_arena *arena;

static int begin(void **unused) {
  (void)unused;
  arena = job_arena();
  return 0;
}

static int end(void **unused) {
  (void)unused;
  fut_arena_close(arena);
  return 0;
}

/* --- what jobs do --------------------------------------------------------- */

static void count(job *self) {
  atomic_fetch_add((atomic_uint *)self->context, 1);
}

/* Jobs that write down when they started. */
typedef struct diary {
  atomic_uint length;
  unsigned entries[1000];
} diary;

static void write_diary(job *self) {
  diary *book = self->context;
  book->entries[atomic_fetch_add(&book->length, 1)] = self->number;
}

static void spawn_writer(fut_executor *pool, diary *book, unsigned number,
                         double priority) {
  job *task = job_new(arena, write_diary, book);
  task->number = number;
  task->task.priority = priority;
  assert_int_equal(fut_executor_submit(pool, &task->task), FUT_OK);
}

/* --- running -------------------------------------------------------------- */

static void runs(void **unused) {
  (void)unused;
  const unsigned sizes[] = {1, 2, 16};
  for (int i = 0; i < 3; i++) {
    fut_executor *pool = pool_new(sizes[i]);
    atomic_uint ran = 0, ended = 0;
    for (int j = 0; j < 2000; j++) {
      job *task = job_new(arena, count, &ran);
      task->ended = &ended;
      assert_int_equal(fut_executor_submit(pool, &task->task), FUT_OK);
    }
    pool_close(pool);
    assert_int_equal(atomic_load(&ran), 2000);
    assert_int_equal(atomic_load(&ended), 2000);
  }
}

static void unused_pool(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(FUT_WORKERS_LIMIT);
  fut_executor_stats stats = pool_stats(pool);
  assert_int_equal(stats.workers, 0);
  assert_int_equal(stats.idle, 0);
  assert_int_equal(stats.pending, 0);
  pool_close(pool);
  fut_object_release(&pool_new(3)->object);
}

static void in_order(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  diary book = {.length = 0};
  for (unsigned i = 0; i < 1000; i++)
    spawn_writer(pool, &book, i, 0);
  pool_close(pool);
  for (unsigned i = 0; i < 1000; i++)
    assert_int_equal(book.entries[i], i);
}

static void overtaking(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  diary book = {.length = 0};
  gate first, second;
  gate_close(&first, pool, arena, 0);
  assert_true(gate_entered(&first));
  for (unsigned i = 0; i < 50; i++) /* brief ones: the next are taken ahead */
    spawn_writer(pool, &book, i, 0);
  gate_close(&second, pool, arena, 0);
  for (unsigned i = 50; i < 200; i++)
    spawn_writer(pool, &book, i, 0);
  gate_open(&first);
  assert_true(gate_entered(&second)); /* some wait in the worker's own link */
  spawn_writer(pool, &book, 1000, -1);
  spawn_writer(pool, &book, 1001, 1);
  spawn_writer(pool, &book, 1002, 2);
  spawn_writer(pool, &book, 1003, 1);
  gate_open(&second);
  pool_close(pool);
  for (unsigned i = 0; i < 50; i++)
    assert_int_equal(book.entries[i], i);
  assert_int_equal(book.entries[50], 1002);
  assert_int_equal(book.entries[51], 1001);
  assert_int_equal(book.entries[52], 1003);
  for (unsigned i = 50; i < 200; i++)
    assert_int_equal(book.entries[i + 3], i);
  assert_int_equal(book.entries[203], 1000);
}

static void not_cancelled(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  gate first;
  gate_close(&first, pool, arena, 0);
  assert_true(gate_entered(&first));
  atomic_uint ran = 0;
  job *kept = job_new(arena, count, &ran),
      *dropped = job_new(arena, count, &ran);
  pool_submit(pool, kept);
  pool_submit(pool, dropped);
  assert_true(fut_future_cancel(&dropped->task.future));
  assert_false(fut_future_cancel(&first.task->task.future)); /* it runs */
  gate_open(&first);
  assert_true(await(&kept->task.future));
  pool_close(pool);
  assert_int_equal(atomic_load(&ran), 1);
  assert_int_equal(job_state(dropped), FUT_CANCELLED);
  job_release(kept);
  job_release(dropped);
}

/* --- workers -------------------------------------------------------------- */

static bool all_idle(void *context) {
  fut_executor_stats stats = pool_stats(context);
  return stats.idle == stats.workers && stats.pending == 0;
}

static void one_is_enough(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(4);
  for (unsigned i = scaled(300); i > 0; i--) {
    job *task = job_new(arena, NULL, NULL);
    pool_submit(pool, task);
    assert_true(await(&task->task.future));
    job_release(task);
    assert_true(eventually(all_idle, pool));
  }
  assert_int_equal(pool_stats(pool).workers, 1);
  pool_close(pool);
}

static void as_many_as_needed(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(3);
  gate gates[5];
  for (unsigned i = 0; i < 5; i++) {
    gate_close(&gates[i], pool, arena, 0);
    if (i < 3)
      assert_true(gate_entered(&gates[i]));
    assert_int_equal(pool_stats(pool).workers, i < 3 ? i + 1 : 3);
  }
  assert_int_equal(pool_stats(pool).pending, 2);
  assert_int_equal(pool_stats(pool).idle, 0);
  for (int i = 0; i < 5; i++)
    gate_open(&gates[i]);
  pool_close(pool);
}

/* The most jobs that ever ran at a time. */
typedef struct crowd {
  atomic_uint now, most;
} crowd;

static void join_crowd(job *self) {
  crowd *all = self->context;
  unsigned now = atomic_fetch_add(&all->now, 1) + 1;
  unsigned most = atomic_load(&all->most);
  while (now > most && !atomic_compare_exchange_weak(&all->most, &most, now))
    ;
  for (int i = 0; i < 20; i++)
    fut_thread_relax();
  atomic_fetch_sub(&all->now, 1);
}

static void never_more(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(3);
  crowd all = {.now = 0};
  for (unsigned i = scaled(20000); i > 0; i--) {
    pool_spawn(pool, arena, join_crowd, &all);
    assert_true(pool_stats(pool).workers <= 3);
  }
  pool_close(pool);
  assert_in_range(atomic_load(&all.most), 1, 3);
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void idle_costs_nothing(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(4);
  gate gates[4];
  for (int i = 0; i < 4; i++) {
    gate_close(&gates[i], pool, arena, 0);
    assert_true(gate_entered(&gates[i]));
  }
  for (int i = 0; i < 4; i++)
    gate_open(&gates[i]);
  assert_true(eventually(all_idle, pool));
  double before = cpu_seconds();
  pause_for(0.2);
  assert_true(cpu_seconds() - before < within(0.02));
  pool_close(pool);
}

/* --- locals --------------------------------------------------------------- */

struct fut_worker_local {
  fut_object *environment;
};

static atomic_uint opened, closed, refused;

static fut_err open_local(fut_object *environment, fut_runner *runner,
                          fut_worker_report *report, fut_worker_local **local,
                          char **why) {
  (void)runner;
  (void)report;
  (void)why;
  unsigned left = atomic_load(&refused);
  if (left > 0) {
    atomic_store(&refused, left - 1);
    return FUT_ENOMEM;
  }
  *local = malloc(sizeof **local);
  (*local)->environment = environment;
  atomic_fetch_add(&opened, 1);
  return FUT_OK;
}

static void close_local(fut_worker_local *local) {
  atomic_fetch_add(&closed, 1);
  free(local);
}

static const fut_worker_ops local_ops = {.open = open_local,
                                         .close = close_local};

static void environment_free(fut_object *object) { (void)object; }

static const fut_object_kind environment_kind = {"environment",
                                                 environment_free};

static void locals(void **unused) {
  (void)unused;
  fut_object environment;
  fut_object_init(&environment, &environment_kind);
  fut_pool_options options = fut_pool_options_of(2, "locals");
  options.environment = &environment;
  fut_executor *pool;
  assert_int_equal(fut_thread_pool_new(&options, &local_ops, &pool), FUT_OK);
  atomic_store(&refused, 1);
  gate gates[3];
  for (int i = 0; i < 3; i++) {
    gate_close(&gates[i], pool, arena, 0);
    if (i < 2)
      assert_true(gate_entered(&gates[i]));
  }
  assert_null(gates[0].task->local); /* tried again before the next task */
  assert_ptr_equal(gates[1].task->local->environment, &environment);
  latch_down(&gates[0].opened);
  assert_true(gate_entered(&gates[2]));
  assert_ptr_equal(gates[2].task->local->environment, &environment);
  assert_ptr_not_equal(gates[2].task->local, gates[1].task->local);
  assert_int_equal(atomic_load(&opened), 2);
  assert_int_equal(atomic_load(&closed), 0);
  latch_down(&gates[2].opened);
  latch_down(&gates[1].opened);
  pool_close(pool);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(job_state(gates[i].task), FUT_FINISHED);
    gate_fini(&gates[i]);
  }
  assert_int_equal(atomic_load(&closed), 2);
  assert_int_equal(atomic_load(&environment.references), 1);
}

/* --- the end -------------------------------------------------------------- */

static void shut_down(void **unused) {
  (void)unused;
  for (int cancel = 0; cancel < 2; cancel++) {
    fut_executor *pool = pool_new(2);
    gate gates[2];
    for (int i = 0; i < 2; i++) {
      gate_close(&gates[i], pool, arena, 0);
      assert_true(gate_entered(&gates[i]));
    }
    job *jobs[30];
    for (int i = 0; i < 30; i++) {
      jobs[i] = job_new(arena, NULL, NULL);
      jobs[i]->task.priority = i % 3 - 1;
      pool_submit(pool, jobs[i]);
    }
    fut_executor_shutdown(pool, cancel);
    for (int i = 0; i < 30; i++)
      assert_int_equal(job_state(jobs[i]),
                       cancel ? FUT_CANCELLED : FUT_PENDING);
    job *late = job_new(arena, NULL, NULL);
    assert_int_equal(pool_submit(pool, late), FUT_ESHUTDOWN);
    assert_int_equal(job_state(late), FUT_CANCELLED);
    fut_future *terminated = fut_executor_terminated(pool);
    assert_false(fut_state_done(fut_future_state(terminated)));
    gate_open(&gates[0]);
    gate_open(&gates[1]);
    assert_true(pool_over(pool));
    assert_int_equal(pool_stats(pool).workers, 0);
    fut_executor_shutdown(pool, true); /* once more */
    for (int i = 0; i < 30; i++) {
      assert_int_equal(job_state(jobs[i]),
                       cancel ? FUT_CANCELLED : FUT_FINISHED);
      job_release(jobs[i]);
    }
    job_release(late);
    fut_object_release(&pool->object);
  }
}

static bool no_blocks(void *context) {
  return atomic_load(&((ledger *)context)->blocks) == 0;
}

static void given_up(void **unused) {
  (void)unused;
  ledger memory;
  ledger_open(&memory);
  atomic_uint ran = 0;
  fut_arena *own = job_arena();
  for (unsigned round = scaled(50); round > 0; round--) {
    fut_executor *pool = pool_new(3);
    for (int i = 0; i < 20; i++)
      pool_spawn(pool, own, count, &ran);
    fut_object_release(&pool->object);
  }
  fut_arena_close(own);
  assert_true(eventually(no_blocks, &memory)); /* all pools have gone */
  assert_int_equal(ledger_close(&memory), 0);
  assert_int_equal(atomic_load(&ran), 20 * scaled(50));
}

static void idle_given_up(void **unused) {
  (void)unused;
  ledger memory;
  ledger_open(&memory);
  fut_executor *pool = pool_new(3);
  fut_arena *own = job_arena();
  job *task = job_new(own, NULL, NULL);
  pool_submit(pool, task);
  assert_true(await(&task->task.future));
  job_release(task);
  fut_arena_close(own);
  assert_true(eventually(all_idle, pool));
  fut_object_release(&pool->object);
  assert_true(eventually(no_blocks, &memory));
  assert_int_equal(ledger_close(&memory), 0);
}

static void release_pool(job *self) {
  fut_executor *pool = self->context;
  fut_object_release(&pool->object);
}

/* A task that does one thing and leaves the rest to another one. */
typedef struct relay {
  fut_executor *pool;
  fut_arena *own; /* of the runners */
  diary *book;
  unsigned left;
  unsigned demands; /* that were seen, all together */
} relay;

static void run_relay(job *self) {
  relay *race = self->context;
  race->demands |= fut_executor_demands(race->pool, 0);
  race->book->entries[atomic_fetch_add(&race->book->length, 1)] = self->number;
  if (--race->left == 0)
    return;
  job *next = job_new(race->own, run_relay, race);
  next->number = self->number + 1;
  next->task.many = true;
  next->task.order = self->task.order;
  fut_executor_again(race->pool, &next->task);
}

/* Run it on a pool of one worker, with two tasks submitted later. */
static relay relay_run(diary *book, double priority, bool cancel) {
  relay race = {pool_new(1), job_arena(), book, 50, 0};
  gate hold;
  gate_close(&hold, race.pool, arena, 0);
  assert_true(gate_entered(&hold));
  job *runner = job_new(race.own, run_relay, &race);
  runner->task.many = true;
  assert_int_equal(fut_executor_submit(race.pool, &runner->task), FUT_OK);
  spawn_writer(race.pool, book, 1000, 0);
  spawn_writer(race.pool, book, 1001, priority);
  fut_executor_shutdown(race.pool, false);
  if (cancel)
    fut_executor_shutdown(race.pool, true);
  gate_open(&hold);
  pool_close(race.pool);
  fut_arena_close(race.own);
  return race;
}

static void goes_on(void **unused) {
  (void)unused;
  diary book = {.length = 0};
  relay race = relay_run(&book, 0, false);
  assert_int_equal(race.demands, 0);
  assert_int_equal(atomic_load(&book.length), 52);
  for (unsigned i = 0; i < 50; i++)
    assert_int_equal(book.entries[i], i);
  assert_int_equal(book.entries[50], 1000);
}

static void given_up_relay(void **unused) {
  (void)unused;
  diary book = {.length = 0};
  relay_run(&book, 0, true);
  assert_int_equal(atomic_load(&book.length), 0);
}

static void given_up_inside(void **unused) {
  (void)unused;
  for (unsigned round = scaled(200); round > 0; round--) {
    ledger memory;
    ledger_open(&memory);
    fut_executor *pool = pool_new(2);
    fut_arena *own = job_arena();
    fut_object_hold(&pool->object);
    pool_spawn(pool, own, release_pool, pool);
    pool_spawn(pool, own, NULL, NULL);
    if (round % 2)
      fut_executor_shutdown(pool, false);
    fut_arena_close(own);
    fut_object_release(&pool->object);
    assert_true(eventually(no_blocks, &memory));
    assert_int_equal(ledger_close(&memory), 0);
  }
}

static void thousand(void **unused) {
  (void)unused;
  ledger memory;
  ledger_open(&memory);
  for (unsigned round = scaled(1000); round > 0; round--) {
    fut_executor *pool = pool_new(1 + round % 3);
    fut_arena *own = job_arena();
    atomic_uint ran = 0;
    for (unsigned i = 0; i < round % 4; i++)
      pool_spawn(pool, own, count, &ran);
    pool_close(pool);
    assert_int_equal(atomic_load(&ran), round % 4);
    fut_arena_close(own);
  }
  assert_int_equal(ledger_close(&memory), 0);
}

#define POOL_CASE(sentence, function)                                          \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest thread_pool_tests[] = {
    POOL_CASE("every task runs once, with few workers or many", runs),
    POOL_CASE("a pool that is not used has no workers", unused_pool),
    POOL_CASE("one worker starts tasks in the order of submission", in_order),
    POOL_CASE("a larger priority overtakes all that has not started",
              overtaking),
    POOL_CASE("a task that was cancelled in time does not run", not_cancelled),
    POOL_CASE("tasks one after another need one worker", one_is_enough),
    POOL_CASE("workers are started as tasks need them", as_many_as_needed),
    POOL_CASE("no more run at a time than there are workers", never_more),
    POOL_CASE("an idle pool uses no processor", idle_costs_nothing),
    POOL_CASE("each worker has a local of its own", locals),
    POOL_CASE("after shutdown it finishes or cancels what waits", shut_down),
    POOL_CASE("a pool that is given up finishes its tasks", given_up),
    POOL_CASE("an idle pool that is given up goes", idle_given_up),
    POOL_CASE("what a task leaves to do comes first, after shutdown too",
              goes_on),
    POOL_CASE("what a task leaves to do can be cancelled", given_up_relay),
    POOL_CASE("a pool may be given up by its own tasks", given_up_inside),
    POOL_CASE("a thousand pools leave nothing behind", thousand),
};

int main(void) { return cmocka_run_group_tests(thread_pool_tests, NULL, NULL); }
