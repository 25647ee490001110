/* process_pool_life_test.c - the lives of worker processes, and the end of a
   pool */
#include "process_pool.h"

#include "support/cases.h"
#include "support/descriptors.h"
#include "support/process_pool.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Whether this process has a child, buried or not. */
static bool childless(void) {
  return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

/* --- the end ---------------------------------------------------------------
 */

static void shut_down(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  call *calls[100];
  for (int i = 0; i < 100; i++)
    calls[i] = ask_number(&at, "write", i);
  fut_executor_shutdown(at.pool, false);
  fut_executor_shutdown(at.pool, false);
  call *late = call_new(at.arena, "echo");
  fut_object_hold(&late->task.future.object);
  assert_int_equal(fut_executor_submit(at.pool, &late->task), FUT_ESHUTDOWN);
  expect_cancelled(late);
  assert_true(team_over(&at));
  for (int i = 0; i < 100; i++)
    expect(calls[i], "");
  assert_int_equal(atomic_load(&at.board->born), atomic_load(&at.board->died));
  assert_int_equal(team_stats(&at).workers, 0);
  assert_true(childless());
  team_leave(&at);
}

static void cancelled_at_the_end(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *gate = ask(&at, "gate 0");
  gate_pid(&at, 0);
  enum { CALLS = 1000 };
  static call *calls[CALLS];
  for (int i = 0; i < CALLS; i++)
    calls[i] = ask_number(&at, "write", i);
  fut_executor_shutdown(at.pool, false);
  fut_executor_shutdown(at.pool, true);
  for (int i = 0; i < CALLS; i++)
    expect_cancelled(calls[i]);
  assert_int_equal(fut_task_state(&gate->task), FUT_RUNNING);
  gate_let_go(&at, 0);
  expect(gate, "gone");
  assert_true(team_over(&at));
  assert_int_equal(atomic_load(&at.board->length), 0);
  team_leave(&at);
}

static void given_up(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  call *calls[50];
  for (int i = 0; i < 50; i++)
    calls[i] = ask_number(&at, "write", i);
  fut_object_release(&at.pool->object); /* the tasks hold it */
  for (int i = 0; i < 50; i++)
    expect(calls[i], "");
  fut_arena_close(at.arena);
  board_free(at.board, at.path);
}

static bool no_children(void *unused) {
  (void)unused;
  return childless();
}

static void unused_pools(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 3);
  assert_int_equal(team_stats(&at).workers, 0);
  team_close(&at);
  team_open(&at, 3);
  team_leave(&at); /* without a shutdown */
  assert_true(eventually(no_children, NULL));
}

static void one_more_pool(bool wait) {
  team at;
  team_open(&at, 2);
  call *one = ask(&at, "echo one");
  expect(ask(&at, "echo two"), "two");
  expect(one, "one");
  if (wait)
    team_close(&at);
  else
    team_leave(&at);
}

static bool as_many_descriptors(void *before) {
  return descriptors() == *(unsigned *)before;
}

static void nothing_left(void **unused) {
  (void)unused;
  one_more_pool(true); /* the first one makes the doorbell, which stays */
  assert_true(childless());
  unsigned before = descriptors();
  for (unsigned i = 0; i < scaled(50); i++) {
    one_more_pool(true);
    assert_true(childless());
    assert_int_equal(descriptors(), before);
  }
  for (unsigned i = 0; i < scaled(50); i++)
    one_more_pool(false);
  assert_true(eventually(no_children, NULL));
  assert_true(eventually(as_many_descriptors, &before));
}

/* --- the lives of workers --------------------------------------------------
 */

static bool all_idle(void *context) {
  fut_executor_stats stats = team_stats(context);
  return stats.workers > 0 && stats.idle == stats.workers && stats.pending == 0;
}

static void on_demand(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 3);
  assert_int_equal(team_stats(&at).workers, 0);
  expect(ask(&at, "echo"), "");
  unsigned born = atomic_load(&at.board->born);
  for (int i = 0; i < 20; i++) {
    assert_true(eventually(all_idle, &at));
    expect(ask(&at, "echo"), "");
  }
  assert_int_equal(atomic_load(&at.board->born), born); /* that was enough */
  call *gates[3];
  for (int i = 0; i < 3; i++)
    gates[i] = ask_number(&at, "gate", i);
  for (int i = 0; i < 3; i++)
    gate_pid(&at, i); /* all three at a time */
  assert_int_equal(team_stats(&at).running, 3);
  for (int i = 0; i < 3; i++) {
    gate_let_go(&at, i);
    expect(gates[i], "gone");
  }
  assert_int_equal(atomic_load(&at.board->born), 3);
  size_t bytes;
  for (unsigned i = 0; i < 3; i++) {
    assert_true(fut_executor_memory(at.pool, i, &bytes));
    assert_int_equal(bytes, 4711);
  }
  assert_false(fut_executor_memory(at.pool, 3, &bytes));
  team_close(&at);
}

static void renewed(void **unused) {
  (void)unused;
  for (unsigned workers = 1; workers <= 2; workers++) {
    team at;
    team_init(&at, workers, "work");
    at.options.pool.max_tasks_per_child = 3;
    team_start(&at);
    call *calls[30];
    for (int i = 0; i < 30; i++) /* a backlog */
      calls[i] = ask_number(&at, "write", i);
    for (int i = 0; i < 30; i++)
      expect(calls[i], "");
    for (int i = 0; i < 7; i++) /* and one at a time */
      expect(ask(&at, "echo x"), "x");
    unsigned born = atomic_load(&at.board->born);
    /* one may be started that finds nothing left to do, at each of the ends */
    assert_in_range(born, 37 / 3, 37 / 3 + 2 * workers + 2);
    for (int i = 0; i < 20; i++) /* a backlog at the end */
      call_release(ask_number(&at, "write", i));
    team_close(&at);
  }
}

static bool nobody_there(void *context) {
  return team_stats(context).workers == 0;
}

static void idle_too_long(void **unused) {
  (void)unused;
  team at;
  team_init(&at, 2, "work");
  at.options.pool.idle_timeout = 20000000;
  team_start(&at);
  for (int i = 0; i < 3; i++) {
    expect(ask(&at, "echo x"), "x");
    assert_true(eventually(nobody_there, &at));
    assert_true(childless());
  }
  assert_true(atomic_load(&at.board->died) >= 3);
  team_close(&at);
}

/* Tasks come when workers are about to end: nobody is told too late. */
static void idle_or_not(void **unused) {
  (void)unused;
  team at;
  team_init(&at, 2, "work");
  at.options.pool.idle_timeout = 300000;
  team_start(&at);
  for (unsigned i = 0; i < scaled(150); i++) {
    expect(ask(&at, "echo x"), "x");
    pause_for(0.0001 * (i % 7));
  }
  team_close(&at);
}

static void costs_nothing(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  expect(ask(&at, "echo x"), "x");
  assert_true(eventually(all_idle, &at));
  pause_for(0.2); /* whoever was woken has looked once more */
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  pause_for(0.3);
  getrusage(RUSAGE_SELF, &after);
  assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 0, 5);
  team_close(&at);
}

static const struct CMUnitTest process_pool_life_tests[] = {
    CASE("shutdown lets everything end that was submitted before", shut_down),
    CASE("shutdown can cancel all that has not started", cancelled_at_the_end),
    CASE("a pool that is given up finishes its tasks", given_up),
    CASE("a pool that was never used ends at once", unused_pools),
    CASE("a hundred pools leave no descriptor and no child", nothing_left),
    CASE("workers are started on demand, and not more", on_demand),
    CASE("a worker is replaced after so many tasks, backlog or not", renewed),
    CASE("a worker that is idle too long ends", idle_too_long),
    CASE("no task is lost between two workers' lives", idle_or_not),
    CASE("a pool without work does nothing", costs_nothing),
};

int main(void) {
  return cmocka_run_group_tests(process_pool_life_tests, NULL, NULL);
}
