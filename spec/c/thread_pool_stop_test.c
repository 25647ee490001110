/* thread_pool_stop_test.c - tasks that are stopped, timed, given up; limits */
#include "interruption.h"
#include "memory.h"
#include "thread_pool.h"

#include "support/gate.h"
#include "support/latch.h"

#include <string.h>

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

/* --- locals that notice -----------------------------------------------------
 */

/* Of a worker whose tasks may be interrupted. */
struct fut_worker_local {
  fut_worker_report *report;
  atomic_bool stopped; /* set by the signal handler */
  unsigned opened;     /* how many were opened before, and it */
};

static atomic_uint opened, closed;
static _Atomic(const char *) broken; /* what the next open fails with */

static fut_err open_local(fut_object *environment, fut_runner *runner,
                          fut_worker_report *report, fut_worker_local **local,
                          char **why) {
  (void)environment;
  (void)runner;
  const char *text = atomic_load(&broken);
  if (text) {
    *why = fut_memory_new(strlen(text) + 1);
    strcpy(*why, text);
    return FUT_EBROKENTHREADS;
  }
  *local = fut_memory_new(sizeof **local);
  (*local)->report = report;
  atomic_init(&(*local)->stopped, false);
  (*local)->opened = atomic_fetch_add(&opened, 1) + 1;
  atomic_store(&report->memory, 100);
  return FUT_OK;
}

static void close_local(fut_worker_local *local) {
  atomic_fetch_add(&closed, 1);
  fut_memory_free(local);
}

static void interrupt(fut_worker_local *local) {
  if (atomic_load(&local->report->asked))
    atomic_store(&local->stopped, true);
}

static const fut_worker_ops ops = {
    .open = open_local, .close = close_local, .interrupt = interrupt};

/* A task that runs until it is stopped, or it has seen `rounds`. */
typedef struct loop {
  fut_task task;
  atomic_bool started, hit; /* a stop was seen by one that nobody asked */
  long rounds;
  bool innocent;
} loop;

static fut_state loop_run(fut_task *task, fut_worker_local *local) {
  loop *self = (loop *)task;
  atomic_store(&self->started, true);
  /* what came for the one before came too late */
  atomic_store(&local->stopped, atomic_load(&local->report->asked));
  fut_state state = FUT_FINISHED;
  for (long i = 0; self->rounds < 0 || i < self->rounds; i++)
    if (atomic_load(&local->stopped)) {
      state = FUT_CANCELLED;
      break;
    }
#ifdef FUT_TSAN
  /* signals come late: at the next call into the system */
  fut_interruption_absorb();
#endif
  if (self->innocent && atomic_load(&local->stopped))
    atomic_store(&self->hit, true);
  return state;
}

static void loop_fini(fut_future *future) {
  fut_task_fini(&((loop *)future)->task);
}

static atomic_uint failures, verdicts;

static void loop_fail(fut_task *task, fut_err why, const char *message) {
  (void)message;
  assert_true(why == FUT_ETIMEDOUT || why == FUT_EBROKENTHREADS);
  atomic_fetch_add(&failures, 1);
  fut_future_end(&task->future, FUT_FAILED);
}

static void loop_abandon(fut_task *task, fut_err why) {
  (void)task;
  assert_int_equal(why, FUT_ETIMEDOUT);
  atomic_fetch_add(&verdicts, 1);
}

static const fut_task_kind loop_kind = {
    .future = {.object = {"loop", fut_future_free}, .fini = loop_fini},
    .run = loop_run,
    .fail = loop_fail,
    .abandon = loop_abandon};

static fut_arena *loops; /* of the test that runs */

static loop *loop_new(long rounds) {
  loop *self = fut_arena_take(loops);
  fut_task_init(&self->task, &loop_kind, loops);
  atomic_init(&self->started, false);
  atomic_init(&self->hit, false);
  self->rounds = rounds;
  self->innocent = false;
  return self;
}

static void loop_submit(fut_executor *pool, loop *self) {
  fut_object_hold(&self->task.future.object);
  assert_int_equal(fut_executor_submit(pool, &self->task), FUT_OK);
}

static fut_state loop_state(loop *self) {
  return fut_future_state(&self->task.future);
}

static void loop_release(loop *self) {
  fut_future_release(&self->task.future, loops);
}

static fut_executor *pool_of(const fut_pool_options *options) {
  fut_executor *pool = NULL;
  assert_int_equal(fut_thread_pool_new(options, &ops, &pool), FUT_OK);
  return pool;
}

static fut_executor *begin_loops(unsigned workers) {
  loops = fut_arena_new(sizeof(loop));
  fut_pool_options options = fut_pool_options_of(workers, "stop");
  return pool_of(&options);
}

static void end_loops(fut_executor *pool) {
  pool_close(pool);
  fut_arena_close(loops);
}

#ifndef FUT_TSAN /* where a loop sees no signal */

static bool is_running(void *context) {
  return loop_state(context) == FUT_RUNNING;
}

static void stopped(void **unused) {
  (void)unused;
  fut_executor *pool = begin_loops(2);
  for (int i = 0; i < 20; i++) {
    loop *task = loop_new(-1);
    loop_submit(pool, task);
    assert_true(eventually(is_running, task));
    assert_true(fut_task_stop(&task->task));
    assert_true(fut_task_stop(&task->task)); /* may be asked again */
    assert_true(await(&task->task.future));
    assert_int_equal(loop_state(task), FUT_CANCELLED);
    assert_true(fut_task_stop(&task->task)); /* it is cancelled */
    loop_release(task);
  }
  assert_int_equal(pool_stats(pool).cancelled, 20);
  end_loops(pool);
}

static void timed_out(void **unused) {
  (void)unused;
  fut_executor *pool = begin_loops(1);
  atomic_store(&failures, 0);
  loop *task = loop_new(-1), *quick = loop_new(1);
  task->task.timeout = 20000000;
  quick->task.timeout = 20000000000;
  fut_deadline start = fut_clock_now();
  loop_submit(pool, task);
  loop_submit(pool, quick);
  assert_true(await(&task->task.future));
  double took = (double)(fut_clock_now() - start) / 1e9;
  assert_true(took > 0.0199 && took < within(0.5));
  assert_int_equal(loop_state(task), FUT_FAILED);
  assert_int_equal(atomic_load(&failures), 1);
  assert_true(await(&quick->task.future));
  assert_int_equal(loop_state(quick), FUT_FINISHED);
  loop_release(task);
  loop_release(quick);
  end_loops(pool);
}

static void halted(void **unused) {
  (void)unused;
  fut_executor *pool = begin_loops(3);
  loop *tasks[3];
  for (int i = 0; i < 3; i++) {
    tasks[i] = loop_new(-1);
    loop_submit(pool, tasks[i]);
  }
  for (int i = 0; i < 3; i++)
    assert_true(eventually(is_running, tasks[i]));
  fut_executor_shutdown(pool, true);
  fut_executor_halt(pool);
  for (int i = 0; i < 3; i++) {
    assert_true(await(&tasks[i]->task.future));
    assert_int_equal(loop_state(tasks[i]), FUT_CANCELLED);
    loop_release(tasks[i]);
  }
  end_loops(pool);
}

#endif

static void race(void **unused) {
  (void)unused;
  fut_executor *pool = begin_loops(1);
  unsigned seed = 1, cancelled = 0, finished = 0, tries = scaled(20000);
  for (unsigned i = 0; i < tries; i++) {
    loop *task = loop_new((long)dice(&seed, 2000));
    loop *next = loop_new(50);
    next->innocent = true;
    loop_submit(pool, task);
    loop_submit(pool, next);
    while (dice(&seed, 3) && loop_state(task) == FUT_PENDING)
      ;
    fut_task_stop(&task->task);
    assert_true(await(&task->task.future));
    assert_true(await(&next->task.future));
    assert_int_equal(loop_state(next), FUT_FINISHED);
    assert_false(atomic_load(&next->hit));
    *(loop_state(task) == FUT_CANCELLED ? &cancelled : &finished) += 1;
    loop_release(task);
    loop_release(next);
  }
  assert_int_equal(cancelled + finished, tries);
  assert_int_equal(pool_stats(pool).cancelled, cancelled);
  assert_int_equal(pool_stats(pool).completed, finished + tries);
  end_loops(pool);
}

/* --- tasks that are stuck ---------------------------------------------------
 */

static bool both(void *context) {
  return atomic_load((atomic_uint *)context) == 2;
}

static void given_up(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  gate at[2];
  for (unsigned i = 0; i < 2; i++) {
    gate_close(&at[i], pool, arena, 0);
    assert_true(gate_entered(&at[i]));
    job *waiting = job_new(arena, NULL, NULL);
    pool_submit(pool, waiting);
    fut_deadline start = fut_clock_now();
    assert_true(fut_task_stop(&at[i].task->task));
    assert_true(await(&at[i].task->task.future));
    double took = (double)(fut_clock_now() - start) / 1e9;
    assert_true(took > 0.99 && took < within(2));
    assert_int_equal(job_state(at[i].task), FUT_CANCELLED);
    assert_true(fut_future_abandoned(&at[i].task->task.future));
    assert_true(await(&waiting->task.future)); /* by the next worker */
    /* the second is one too many: what waits may fail then */
    assert_int_equal(job_state(waiting), i == 0 ? FUT_FINISHED : FUT_FAILED);
    job_release(waiting);
  }
  assert_non_null(fut_executor_broken(pool));
  pool_close(pool); /* does not wait for them */
  atomic_uint let_go = 0;
  for (int i = 0; i < 2; i++) {
    at[i].task->ended = &let_go;
    latch_down(&at[i].opened);
    job_release(at[i].task);
  }
  assert_true(eventually(both, &let_go)); /* when they have come back */
  for (int i = 0; i < 2; i++) {
    latch_fini(&at[i].entered);
    latch_fini(&at[i].opened);
  }
}

/* --- limits ------------------------------------------------------------------
 */

static bool no_workers(void *context) {
  return pool_stats(context).workers == 0;
}

static void idle(void **unused) {
  (void)unused;
  fut_pool_options options = fut_pool_options_of(2, "idle");
  options.idle_timeout = 5000000;
  fut_executor *pool = pool_of(&options);
  atomic_store(&opened, 0);
  atomic_store(&closed, 0);
  for (unsigned i = 1; i <= 3; i++) {
    job *task = job_new(arena, NULL, NULL);
    pool_submit(pool, task);
    assert_true(await(&task->task.future));
    job_release(task);
    assert_true(eventually(no_workers, pool));
    assert_int_equal(atomic_load(&opened), i);
    assert_int_equal(atomic_load(&closed), i);
    assert_int_equal(pool_stats(pool).idle, 0);
  }
  pool_close(pool);
}

static void idle_race(void **unused) {
  (void)unused;
  fut_pool_options options = fut_pool_options_of(2, "idle");
  unsigned seed = 1;
  for (unsigned i = 0; i < scaled(20); i++) {
    options.idle_timeout = (fut_deadline)dice(&seed, 3) * 20000;
    fut_executor *pool = pool_of(&options);
    for (int j = 0; j < 100; j++) {
      job *task = job_new(arena, NULL, NULL);
      pool_submit(pool, task);
      assert_true(await(&task->task.future));
      job_release(task);
    }
    pool_close(pool);
    assert_int_equal(atomic_load(&opened), atomic_load(&closed));
  }
}

static void recycled(void **unused) {
  (void)unused;
  fut_pool_options options = fut_pool_options_of(1, "recycle");
  options.max_tasks_per_child = 3;
  fut_executor *pool = pool_of(&options);
  atomic_store(&opened, 0);
  job *tasks[8];
  for (int i = 0; i < 8; i++) {
    tasks[i] = job_new(arena, NULL, NULL);
    pool_submit(pool, tasks[i]);
  }
  for (int i = 0; i < 8; i++) {
    assert_true(await(&tasks[i]->task.future));
    job_release(tasks[i]);
  }
  assert_int_equal(atomic_load(&opened), 3);
  assert_int_equal(pool_stats(pool).workers, 1);
  size_t bytes = 0;
  assert_true(fut_executor_memory(pool, 0, &bytes));
  assert_int_equal(bytes, 100);
  assert_false(fut_executor_memory(pool, 1, &bytes));
  pool_close(pool);
}

static void cannot_open(void **unused) {
  (void)unused;
  fut_pool_options options = fut_pool_options_of(2, "broken");
  fut_executor *pool = pool_of(&options);
  atomic_store(&broken, "no luck");
  job *tasks[10];
  for (int i = 0; i < 10; i++) {
    tasks[i] = job_new(arena, NULL, NULL);
    fut_err err = pool_submit(pool, tasks[i]);
    assert_true(err == FUT_OK || err == FUT_EBROKENTHREADS);
    if (err == FUT_OK) {
      assert_true(await(&tasks[i]->task.future));
      assert_int_equal(job_state(tasks[i]), FUT_FAILED);
    }
    job_release(tasks[i]);
  }
  atomic_store(&broken, NULL);
  assert_string_equal(fut_executor_broken(pool), "no luck");
  pool_close(pool);
}

static void inside_run(job *self) {
  self->number = fut_executor_inside(self->context);
}

static void inside(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(2), *other = pool_new(1);
  assert_false(fut_executor_inside(pool));
  job *task = job_new(arena, inside_run, pool);
  job *elsewhere = job_new(arena, inside_run, pool);
  pool_submit(pool, task);
  pool_submit(other, elsewhere);
  assert_true(await(&task->task.future));
  assert_true(await(&elsewhere->task.future));
  assert_int_equal(task->number, 1);
  assert_int_equal(elsewhere->number, 0);
  job_release(task);
  job_release(elsewhere);
  pool_close(pool);
  pool_close(other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#ifndef FUT_TSAN
      CASE("a task that runs is stopped by a signal", stopped),
      CASE("a task is stopped when its time is over", timed_out),
      CASE("a pool that is halted stops all that runs", halted),
#endif
      CASE("stopping a task never hits the next one", race),
      CASE("a stuck task is given up, and its worker replaced", given_up),
      CASE("a worker ends that has had no task for long", idle),
      CASE("no task is lost as workers end", idle_race),
      CASE("a worker's local is made anew after so many tasks", recycled),
      CASE("a local that cannot be made breaks the pool", cannot_open),
      CASE("a thread knows whether it is a worker of a pool", inside),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
