/* serial_test.c - an executor that runs each task when it is submitted */
#include "serial.h"
#include "thread.h"

#include "support/cases.h"
#include "support/job.h"
#include "support/ledger.h"

/* What tasks share: a number of its own for each that was opened. */
struct fut_worker_local {
  unsigned number;
};

static unsigned opened, closed;

static fut_err open_local(fut_object *environment, fut_runner *runner,
                          fut_worker_report *report, fut_worker_local **local,
                          char **why) {
  (void)runner;
  (void)environment;
  (void)report;
  (void)why;
  *local = fut_memory_new(sizeof **local);
  if (*local == NULL)
    return FUT_ENOMEM;
  (*local)->number = ++opened;
  return FUT_OK;
}

static void close_local(fut_worker_local *local) {
  fut_memory_free(local);
  closed++;
}

static const fut_worker_ops local_ops = {.open = open_local,
                                         .close = close_local};

static fut_arena *arena;

static int begin(void **unused) {
  (void)unused;
  arena = job_arena();
  opened = closed = 0;
  return 0;
}

static int end(void **unused) {
  (void)unused;
  fut_arena_close(arena);
  return 0;
}

static fut_executor *serial_new(size_t max_tasks) {
  fut_pool_options options = fut_pool_options_of(1, "test");
  options.max_tasks_per_child = max_tasks;
  fut_executor *executor = NULL;
  assert_int_equal(fut_serial_new(&options, &local_ops, &executor), FUT_OK);
  return executor;
}

static void note_number(job *self) {
  self->number = self->local ? self->local->number : 0;
}

/* Submit a job and return which local it got. */
static unsigned number_of(fut_executor *executor) {
  job *task = job_new(arena, note_number, NULL);
  job_hold(task);
  assert_int_equal(fut_executor_submit(executor, &task->task), FUT_OK);
  assert_int_equal(job_state(task), FUT_FINISHED);
  unsigned number = task->number;
  job_release(task);
  return number;
}

static void at_once(void **unused) {
  (void)unused;
  fut_executor *executor = serial_new(FUT_UNLIMITED);
  assert_int_equal(opened, 0);
  for (int i = 0; i < 3; i++)
    assert_int_equal(number_of(executor), 1);
  fut_executor_stats stats;
  fut_executor_stats_get(executor, &stats);
  assert_int_equal(stats.completed, 3);
  assert_int_equal(stats.workers, 1);
  assert_int_equal(stats.idle, 1);
  fut_executor_shutdown(executor, false);
  assert_int_equal(closed, 1);
  fut_executor_stats_get(executor, &stats);
  assert_int_equal(stats.workers, 0);
  assert_int_equal(fut_future_state(fut_executor_terminated(executor)),
                   FUT_FINISHED);
  fut_object_release(&executor->object);
}

static void anew(void **unused) {
  (void)unused;
  fut_executor *executor = serial_new(2);
  const unsigned expected[] = {1, 1, 2, 2, 3};
  for (int i = 0; i < 5; i++)
    assert_int_equal(number_of(executor), expected[i]);
  fut_object_release(&executor->object);
  assert_int_equal(closed, 3);
}

static void refused(fut_executor *executor, job *task, fut_err why) {
  job_hold(task);
  assert_int_equal(fut_executor_submit(executor, &task->task), why);
  assert_int_equal(job_state(task), FUT_CANCELLED);
  job_release(task);
}

static void after_shutdown(void **unused) {
  (void)unused;
  fut_executor *executor = serial_new(FUT_UNLIMITED);
  fut_executor_shutdown(executor, true);
  fut_executor_shutdown(executor, true);
  refused(executor, job_new(arena, NULL, NULL), FUT_ESHUTDOWN);
  fut_object_release(&executor->object);
}

static void limited(void **unused) {
  (void)unused;
  fut_executor *executor = serial_new(FUT_UNLIMITED);
  job *task = job_new(arena, NULL, NULL);
  task->task.timeout = 1000;
  refused(executor, task, FUT_EUNTIMED);
  fut_object_release(&executor->object);
}

struct visit {
  fut_executor *executor;
  job *task;
  fut_err err;
};

static void submit_elsewhere(void *argument) {
  struct visit *visit = argument;
  visit->err = fut_executor_submit(visit->executor, &visit->task->task);
}

static void elsewhere(void **unused) {
  (void)unused;
  struct visit visit = {serial_new(FUT_UNLIMITED), job_new(arena, NULL, NULL),
                        FUT_OK};
  job_hold(visit.task);
  fut_thread thread;
  assert_int_equal(fut_thread_start(&thread, submit_elsewhere, &visit), FUT_OK);
  fut_thread_join(thread);
  assert_int_equal(visit.err, FUT_EELSEWHERE);
  assert_int_equal(job_state(visit.task), FUT_CANCELLED);
  job_release(visit.task);
  fut_object_release(&visit.executor->object);
}

static void submit_again(job *self) { self->number = number_of(self->context); }

static void inside(void **unused) {
  (void)unused;
  fut_executor *executor = serial_new(FUT_UNLIMITED);
  job *task = job_new(arena, submit_again, executor);
  job_hold(task);
  assert_int_equal(fut_executor_submit(executor, &task->task), FUT_OK);
  assert_int_equal(task->number, 2);
  job_release(task);
  assert_int_equal(number_of(executor), 1);
  fut_object_release(&executor->object);
  assert_int_equal(closed, opened);
}

static void without_memory(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  fut_executor *executor = NULL;
  fut_pool_options options = fut_pool_options_of(1, "test");
  fut_err err = FUT_ENOMEM;
  for (long blocks = 0; err != FUT_OK; blocks++) {
    ledger_allow(&book, blocks);
    err = fut_serial_new(&options, &local_ops, &executor);
  }
  ledger_allow(&book, -1);
  fut_object_release(&executor->object);
  assert_int_equal(ledger_close(&book), 0);
}

#define SERIAL_CASE(sentence, function)                                        \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest serial_tests[] = {
    SERIAL_CASE("a task has ended when submit returns", at_once),
    SERIAL_CASE("what tasks share is made anew after so many", anew),
    SERIAL_CASE("after shutdown tasks are refused", after_shutdown),
    SERIAL_CASE("a task with a time limit is refused", limited),
    SERIAL_CASE("a task of another thread is refused", elsewhere),
    SERIAL_CASE("a task may submit to its executor", inside),
    SERIAL_CASE("no memory, no executor, nothing lost", without_memory),
};

int main(void) { return cmocka_run_group_tests(serial_tests, NULL, NULL); }
