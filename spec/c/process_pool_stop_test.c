/* process_pool_stop_test.c - tasks that are stopped, and workers that are */
#include "process_pool.h"

#include "support/cases.h"
#include "support/process_pool.h"
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* --- stopping tasks --------------------------------------------------------
 */

static void stopped(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  for (int i = 0; i < 5; i++) {
    call *running = ask_number(&at, "stoppable", i);
    call *next = ask(&at, "echo x");
    gate_pid(&at, i);
    assert_true(fut_task_stop(&running->task));
    assert_true(fut_task_stop(&running->task)); /* once more */
    expect_cancelled(running);
    expect(next, "x");
  }
  assert_int_equal(atomic_load(&at.board->born), 1); /* nobody was killed */
  assert_true(atomic_load(&at.board->stops) >= 5);
  assert_int_equal(team_stats(&at).cancelled, 5);
  team_close(&at);
}

static void too_late(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *gate = ask(&at, "gate 0");
  gate_pid(&at, 0);
  call *waiting = ask(&at, "echo x");
  assert_true(fut_task_stop(&waiting->task)); /* has not started: cancelled */
  expect_cancelled(waiting);
  assert_true(fut_task_stop(&gate->task));
  gate_let_go(&at, 0); /* it ends by itself, and that came first */
  expect(gate, "gone");
  call *done = ask(&at, "echo x");
  assert_int_equal(answered(done), FUT_FINISHED);
  assert_false(fut_task_stop(&done->task));
  call_release(done);
  team_close(&at);
}

static void stubborn(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2); /* a death would break it */
  call *running = ask(&at, "stubborn 0");
  gate_pid(&at, 0);
  fut_deadline begin = fut_clock_now();
  assert_true(fut_task_stop(&running->task));
  expect(ask(&at, "echo x"), "x");
  expect_cancelled(running);
  fut_deadline took = fut_clock_now() - begin;
  assert_true(took >= 900000000);
  assert_true(took < (fut_deadline)(within(4) * 1e9));
  for (int i = 0; i < 10; i++)
    expect(ask(&at, "echo y"), "y");
  assert_null(fut_executor_broken(at.pool));
  team_close(&at);
}

static void times_out(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *slow = call_new(at.arena, "stoppable 0");
  slow->task.timeout = 50000000;
  call *behind = call_new(at.arena, "echo x"); /* its time has not begun */
  behind->task.timeout = 40000000;
  fut_deadline begin = fut_clock_now();
  team_submit(&at, slow);
  team_submit(&at, behind);
  assert_int_equal(answered(slow), FUT_FAILED);
  assert_true(fut_clock_now() - begin >= 50000000);
  assert_int_equal(slow->why, FUT_ETIMEDOUT);
  call_release(slow);
  expect(behind, "x");
  assert_int_equal(team_stats(&at).failed, 1);
  team_close(&at);
}

/* Many limits at a time, of tasks that end in time and that do not. */
static void many_times(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  enum { CALLS = 40 };
  call *calls[CALLS];
  for (int i = 0; i < CALLS; i++) {
    calls[i] = call_new(at.arena, i % 4 ? "echo x" : "stoppable 0");
    calls[i]->task.timeout = i % 4 ? (fut_deadline)20e9 : 5000000;
    team_submit(&at, calls[i]);
  }
  for (int i = 0; i < CALLS; i++)
    if (i % 4)
      expect(calls[i], "x");
    else
      expect_failure(calls[i], FUT_ETIMEDOUT);
  team_close(&at);
}

/* Whether it is stopped or ends first, the next task is not harmed. */
static void races(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  unsigned seed = 5;
  for (unsigned i = 0; i < scaled(1000); i++) {
    call *first = ask(&at, i % 2 ? "echo x" : "stoppable 0");
    call *next = ask(&at, "echo y");
    for (unsigned j = dice(&seed, 300); j > 0; j--)
      fut_thread_relax();
    fut_task_stop(&first->task);
    fut_state state = answered(first);
    if (state == FUT_FINISHED)
      assert_true(call_says(first, "x"));
    else
      assert_int_equal(state, FUT_CANCELLED);
    call_release(first);
    expect(next, "y");
  }
  team_close(&at);
}

/* --- stopping workers ------------------------------------------------------
 */

static pid_t pid_of(team *at) {
  call *task = ask(at, "pid");
  assert_int_equal(answered(task), FUT_FINISHED);
  task->bytes[task->size] = '\0';
  pid_t pid = (pid_t)atol((const char *)task->bytes);
  call_release(task);
  return pid;
}

/* Stop a process, and wait until it stands still. */
static void freeze(pid_t pid) {
  kill(pid, SIGSTOP);
  siginfo_t seen;
  assert_int_equal(
      waitid(P_PID, (id_t)pid, &seen, WSTOPPED | WEXITED | WNOWAIT), 0);
}

static void idle_one_frozen(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  pid_t frozen = pid_of(&at);
  freeze(frozen);
  fut_deadline begin = fut_clock_now();
  for (int i = 0; i < 20; i++)
    expect(ask(&at, "echo x"), "x"); /* another one is started */
  assert_true(fut_clock_now() - begin < (fut_deadline)(within(3) * 1e9));
  assert_int_equal(atomic_load(&at.board->born), 2);
  kill(frozen, SIGCONT);
  for (int i = 0; i < 20; i++)
    expect(ask(&at, "echo x"), "x");
  team_close(&at);
}

static void idle_one_frozen_for_good(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  freeze(pid_of(&at));
  expect(ask(&at, "echo x"), "x");
  team_close(&at); /* it is not waited for for ever */
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void busy_one_frozen(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  call *gate = ask(&at, "gate 0");
  pid_t frozen = gate_pid(&at, 0);
  freeze(frozen);
  gate_let_go(&at, 0);
  for (int i = 0; i < 20; i++)
    expect(ask(&at, "echo x"), "x"); /* the other one does all */
  assert_int_equal(fut_task_state(&gate->task), FUT_RUNNING);
  kill(frozen, SIGCONT);
  expect(gate, "gone");
  team_close(&at);
}

static void frozen_task_stopped(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *running = call_new(at.arena, "stoppable 0");
  running->task.timeout = 100000000;
  team_submit(&at, running);
  freeze(gate_pid(&at, 0));
  call *next = ask(&at, "echo x");
  expect_failure(running, FUT_ETIMEDOUT); /* it is killed in the end */
  expect(next, "x");
  assert_int_equal(atomic_load(&at.board->born), 2);
  assert_null(fut_executor_broken(at.pool));
  team_close(&at);
}

/* Frozen at any instruction, for a while. */
static void frozen_any_time(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  unsigned seed = 11;
  enum { CALLS = 40 };
  for (unsigned i = 0; i < scaled(150); i++) {
    pid_t victim = pid_of(&at);
    call *calls[CALLS];
    for (int j = 0; j < CALLS; j++)
      calls[j] = j % 10 ? ask(&at, "echo x") : ask(&at, "big 300000");
    for (unsigned j = dice(&seed, 3000); j > 0; j--)
      fut_thread_relax();
    kill(victim, SIGSTOP);
    for (unsigned j = dice(&seed, 30000); j > 0; j--)
      fut_thread_relax();
    kill(victim, SIGCONT);
    for (int j = 0; j < CALLS; j++) {
      assert_int_equal(answered(calls[j]), FUT_FINISHED);
      assert_int_equal(calls[j]->size, j % 10 ? 1 : 300000);
      call_release(calls[j]);
    }
  }
  assert_int_equal(atomic_load(&at.board->born), 2);
  team_close(&at);
}

/* --- ending workers --------------------------------------------------------
 */

static void killed(void **unused) {
  (void)unused;
  const int signals[] = {SIGTERM, SIGKILL};
  for (int i = 0; i < 2; i++) {
    team at;
    team_open(&at, 2);
    call *running[2] = {ask(&at, "gate 0"), ask(&at, "gate 1")};
    gate_pid(&at, 0);
    gate_pid(&at, 1);
    call *waiting[700];
    for (int j = 0; j < 700; j++)
      waiting[j] = ask(&at, "echo x");
    fut_executor_kill(at.pool, signals[i]);
    for (int j = 0; j < 700; j++)
      expect_cancelled(waiting[j]);
    for (int j = 0; j < 2; j++)
      expect_failure(running[j], FUT_EBROKENPROCESSES);
    assert_true(team_over(&at));
    assert_int_equal(atomic_load(&at.board->born), 2); /* none is replaced */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    team_leave(&at);
  }
}

static void killed_again(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  expect(ask(&at, "echo x"), "x");
  fut_executor_kill(at.pool, SIGTERM);
  fut_executor_kill(at.pool, SIGKILL);
  assert_true(team_over(&at));
  fut_executor_kill(at.pool, SIGKILL);
  team_leave(&at);

  team_open(&at, 2);
  fut_executor_kill(at.pool, SIGKILL); /* nobody is there */
  assert_true(team_over(&at));
  team_leave(&at);
}

static void killed_when_just_started(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < scaled(30); i++) {
    team at;
    team_open(&at, 2);
    call *first = ask(&at, "gate 0"), *second = ask(&at, "gate 0");
    pause_for(0.0002 * (i % 10));
    fut_executor_kill(at.pool, SIGKILL);
    fut_state state = answered(first);
    assert_true(state == FUT_CANCELLED || state == FUT_FAILED);
    call_release(first);
    state = answered(second);
    assert_true(state == FUT_CANCELLED || state == FUT_FAILED);
    call_release(second);
    assert_true(team_over(&at));
    team_leave(&at);
  }
}

static const struct CMUnitTest process_pool_stop_tests[] = {
    CASE("a running task is stopped, and the next one runs", stopped),
    CASE("what has ended first is not stopped", too_late),
    CASE("a task that does not stop loses its worker, not the pool", stubborn),
    CASE("a task that takes too long fails, and says so", times_out),
    CASE("the time of a task counts from its start", many_times),
    CASE("a stop hits the task that was meant, or nobody", races),
    CASE("an idle worker that is frozen keeps no task waiting",
         idle_one_frozen),
    CASE("nor the pool from ending", idle_one_frozen_for_good),
    CASE("a busy worker that is frozen delays its task only", busy_one_frozen),
    CASE("a frozen task can be stopped", frozen_task_stopped),
    CASE("workers may be frozen at any time", frozen_any_time),
    CASE("all workers can be ended at once", killed),
    CASE("or once more, or when there are none", killed_again),
    CASE("or when they have just been started", killed_when_just_started),
};

int main(void) {
  return cmocka_run_group_tests(process_pool_stop_tests, NULL, NULL);
}
