/* process_pool_death_test.c - workers that die, at their start, at work, when
   idle and at their end */
#include "process_pool.h"

#include "support/cases.h"
#include "support/descriptors.h"
#include "support/process_pool.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static bool says_of_worker(const call *task, const char *how) {
  long pid;
  char text[200];
  return sscanf(task->message, "worker %ld %199[^\n]", &pid, text) == 2 &&
         strcmp(text, how) == 0;
}

/* The call is to fail because its worker has ended so. */
static void expect_death(call *task, const char *how) {
  assert_int_equal(answered(task), FUT_FAILED);
  assert_int_equal(task->why, FUT_EBROKENPROCESSES);
  if (!says_of_worker(task, how))
    fail_msg("'%s' instead of '%s'", task->message, how);
  call_release(task);
}

static bool is_broken(void *context) {
  return fut_executor_broken(((team *)context)->pool) != NULL;
}

/* The pool is to be broken, to take nothing more, and to end. */
static void expect_broken(team *at) {
  assert_true(eventually(is_broken, at));
  call *late = call_new(at->arena, "echo");
  fut_object_hold(&late->task.future.object);
  assert_int_equal(fut_executor_submit(at->pool, &late->task),
                   FUT_EBROKENPROCESSES);
  expect_cancelled(late);
  team_close(at);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  assert_int_equal(errno, ECHILD);
}

/* --- a worker that dies breaks the pool ------------------------------------
 */

static void breaks(void **unused) {
  (void)unused;
  const struct {
    const char *order, *how;
  } deaths[] = {{"exit 3", "exited with code 3"},
                {"exit 0", "exited with code 0"},
                {"signal 9", "killed by signal 9"},
                {"signal 11", "killed by signal 11"},
                {"tear 1000000", "killed by signal 11"}};
  for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++) {
    team at;
    team_open(&at, 2);
    call *running = ask(&at, "gate 0"), *first = ask(&at, "gate 2");
    gate_pid(&at, 0);
    gate_pid(&at, 2);
    call *fatal = ask(&at, deaths[i].order);
    call *waiting[600];
    for (int j = 0; j < 600; j++) /* handed out or not */
      waiting[j] = ask(&at, "gate 1");
    gate_let_go(&at, 2);
    expect(first, "gone");
    expect_death(fatal, deaths[i].how);
    expect_death(running, deaths[i].how);
    for (int j = 0; j < 600; j++)
      expect_death(waiting[j], deaths[i].how);
    expect_broken(&at);
  }
}

static void idle_death_breaks(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *first = ask(&at, "pid");
  assert_int_equal(answered(first), FUT_FINISHED);
  first->bytes[first->size] = '\0';
  kill((pid_t)atol((const char *)first->bytes), SIGKILL);
  call_release(first);
  assert_true(eventually(is_broken, &at));
  assert_non_null(strstr(fut_executor_broken(at.pool), "killed by signal 9"));
  expect_broken(&at);
}

static void at_the_start(void **unused) {
  (void)unused;
  for (int respawn = 0; respawn < 2; respawn++) {
    team at;
    team_init(&at, 2, "exit");
    at.options.respawn = respawn;
    team_start(&at);
    call *calls[10];
    for (int i = 0; i < 10; i++)
      calls[i] = ask(&at, "echo");
    for (int i = 0; i < 10; i++)
      expect_death(calls[i], "exited with code 7");
    assert_in_range(atomic_load(&at.board->born), 1, 6); /* not for ever */
    expect_broken(&at);
  }
}

static void refused(void **unused) {
  (void)unused;
  for (int respawn = 0; respawn < 2; respawn++) {
    team at;
    team_init(&at, 1, "refuse");
    at.options.respawn = respawn;
    team_start(&at);
    call *task = ask(&at, "echo");
    assert_int_equal(answered(task), FUT_FAILED);
    assert_string_equal(task->message, "test-1 does not want to");
    call_release(task);
    expect_broken(&at);
  }
}

static void no_program(void **unused) {
  (void)unused;
  team at;
  team_init(&at, 2, "work");
  at.options.program = "/nowhere/worker";
  at.options.respawn = true;
  team_start(&at);
  call *task = ask(&at, "echo");
  assert_int_equal(answered(task), FUT_FAILED);
  assert_string_equal(
      task->message, "cannot start /nowhere/worker: No such file or directory");
  call_release(task);
  expect_broken(&at);
}

static void another_program(void **unused) {
  (void)unused;
  team at;
  team_init(&at, 1, "work");
  at.options.program = "/bin/false";
  team_start(&at);
  expect_death(ask(&at, "echo"), "exited with code 1");
  expect_broken(&at);
}

/* --- or it is replaced -----------------------------------------------------
 */

static void replaced(void **unused) {
  (void)unused;
  const char *orders[] = {"exit 3", "signal 9", "tear 100", "tear 1000000"};
  team at;
  team_open_respawning(&at, 2);
  for (unsigned i = 0; i < scaled(20); i++) {
    call *before = ask(&at, "echo before");
    call *fatal = ask(&at, orders[i % 4]);
    call *after = ask(&at, "echo after");
    call *large = ask(&at, "big 1000000");
    expect(before, "before");
    expect_failure(fatal, FUT_EBROKENPROCESSES);
    expect(after, "after");
    assert_int_equal(answered(large), FUT_FINISHED);
    assert_true(board_filled(large->bytes, 1000000));
    call_release(large);
  }
  assert_null(fut_executor_broken(at.pool));
  team_close(&at);
}

static void many_deaths(void **unused) {
  (void)unused;
  team at;
  team_open_respawning(&at, 2);
  enum { CALLS = 600 };
  static call *calls[CALLS];
  for (int i = 0; i < CALLS; i++)
    calls[i] = i % 50 == 0 ? ask(&at, "exit 1") : ask_number(&at, "echo", i);
  for (int i = 0; i < CALLS; i++) {
    char text[20];
    snprintf(text, sizeof text, "%d", i);
    if (i % 50 == 0)
      expect_death(calls[i], "exited with code 1");
    else
      expect(calls[i], text);
  }
  assert_in_range(atomic_load(&at.board->born), CALLS / 50, CALLS / 50 + 2);
  team_close(&at);
}

static void death_while_shut_down(void **unused) {
  (void)unused;
  team at;
  team_open_respawning(&at, 1);
  call *first = ask(&at, "exit 1"), *second = ask(&at, "echo x");
  fut_executor_shutdown(at.pool, false);
  expect_death(first, "exited with code 1");
  expect(second, "x"); /* a new worker makes it */
  assert_true(team_over(&at));
  team_leave(&at);
}

static void death_at_the_end(void **unused) {
  (void)unused;
  team at;
  team_init(&at, 1, "work");
  at.options.pool.max_tasks_per_child = 2;
  team_start(&at);
  for (int i = 0; i < 3; i++) {
    expect(ask(&at, "crash-at-end"), "");
    expect(ask(&at, "echo x"), "x"); /* all is done: nobody is harmed */
  }
  assert_null(fut_executor_broken(at.pool));
  team_close(&at);
}

/* Somebody kills workers at any instruction, and sends them large calls. */
static void any_time(void **unused) {
  (void)unused;
  team at;
  team_open_respawning(&at, 2);
  unsigned seed = 17;
  enum { SIZE = 700000, CALLS = 6 };
  unsigned char *bytes = malloc(SIZE);
  memcpy(bytes, "check ", 6);
  board_fill(bytes + 6, SIZE - 6);
  unsigned ended = 0, killed = 0;
  for (unsigned i = 0; i < scaled(60); i++) {
    call *calls[CALLS];
    call *pid = ask(&at, "pid");
    answered(pid);
    pid->bytes[pid->size] = '\0';
    long victim = call_state(pid) == FUT_FINISHED && !pid->why
                      ? atol((const char *)pid->bytes)
                      : 0;
    call_release(pid);
    for (int j = 0; j < CALLS; j++)
      calls[j] = j % 3 == 0   ? team_submit(&at, call_of(at.arena, bytes, SIZE))
                 : j % 3 == 1 ? ask_number(&at, "big", SIZE)
                              : ask(&at, "echo x");
    fut_deadline until = fut_clock_now() + dice(&seed, 3000) * 1000;
    while (fut_clock_now() < until)
      ;
    if (victim > 0) /* ours to wait for: nobody else has its number */
      kill((pid_t)victim, SIGKILL);
    for (int j = 0; j < CALLS; j++) {
      fut_state state = answered(calls[j]);
      if (state == FUT_FAILED)
        assert_int_equal(calls[j]->why, FUT_EBROKENPROCESSES);
      else if (j % 3 == 0)
        assert_true(call_says(calls[j], "good"));
      else if (j % 3 == 1)
        assert_true(calls[j]->size == SIZE &&
                    board_filled(calls[j]->bytes, SIZE));
      else
        assert_true(call_says(calls[j], "x"));
      ended += state == FUT_FINISHED;
      killed += state == FUT_FAILED;
      call_release(calls[j]);
    }
  }
  free(bytes);
  assert_true(ended > killed); /* a death costs one task */
  assert_null(fut_executor_broken(at.pool));
  team_close(&at);
}

/* --- workers that have lost their mind -------------------------------------
 */

static void scribbles(void **unused) {
  (void)unused;
  for (int how = 0; how <= 6; how++) {
    team at;
    team_open_respawning(&at, 1);
    expect(ask(&at, "echo x"), "x");
    call *mad = ask_number(&at, "scribble", how);
    expect_failure(mad, FUT_EBROKENPROCESSES);
    if (how != 3) { /* there it says itself that it has failed */
      expect(ask(&at, "echo y"), "y");
      call *large = ask(&at, "big 1000000");
      assert_int_equal(answered(large), FUT_FINISHED);
      assert_true(board_filled(large->bytes, 1000000));
      call_release(large);
    }
    team_close(&at);
  }
}

/* --- who has no room -------------------------------------------------------
 */

/* With so few descriptors left, not all workers can be started. */
static void too_few_descriptors(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 8);
  expect(ask(&at, "echo x"), "x");
  struct rlimit before, few;
  getrlimit(RLIMIT_NOFILE, &before);
  few = before;
  few.rlim_cur = descriptors();
  setrlimit(RLIMIT_NOFILE, &few);
  call *calls[100];
  for (int i = 0; i < 100; i++)
    calls[i] = ask(&at, "echo y");
  for (int i = 0; i < 100; i++)
    expect(calls[i], "y"); /* those that are there do all */
  setrlimit(RLIMIT_NOFILE, &before);
  assert_null(fut_executor_broken(at.pool));
  team_close(&at);
}

static const struct CMUnitTest process_pool_death_tests[] = {
    CASE("a worker that dies breaks the pool, which says how it died", breaks),
    CASE("so does one that had nothing to do", idle_death_breaks),
    CASE("workers that die at their start are not started for ever",
         at_the_start),
    CASE("a worker that cannot begin says why", refused),
    CASE("a program that is not there is named", no_program),
    CASE("a program that is no worker breaks the pool", another_program),
    CASE("with respawn, a death costs one task", replaced),
    CASE("with respawn, many deaths cost many", many_deaths),
    CASE("a worker that dies during shutdown is replaced as well",
         death_while_shut_down),
    CASE("a worker that dies when all is done harms nobody", death_at_the_end),
    CASE("a worker may be killed at any time", any_time),
    CASE("a worker that scribbles over the memory harms itself", scribbles),
    CASE("what cannot be started is done without", too_few_descriptors),
};

int main(void) {
  return cmocka_run_group_tests(process_pool_death_tests, NULL, NULL);
}
