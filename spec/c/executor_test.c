/* executor_test.c - what every pool offers, with a pool that only notes */
#include "executor.h"
#include "pool.h"

#include "support/cases.h"
#include "support/child.h"
#include "support/job.h"
#include "support/ledger.h"

/* An executor that keeps the last task and remembers what it was asked. */
typedef struct notebook {
  fut_executor executor;
  fut_task *task;
  int shutdowns, cancels, joins, frees, stops;
} notebook;

static fut_err note_submit(fut_executor *executor, fut_task *task) {
  ((notebook *)executor)->task = task;
  return FUT_OK;
}

static void note_shutdown(fut_executor *executor, bool cancel_futures) {
  notebook *self = (notebook *)executor;
  self->shutdowns++;
  self->cancels += cancel_futures;
  fut_future_end(executor->terminated, FUT_FINISHED);
}

static bool note_stop(fut_executor *executor, fut_task *task) {
  ((notebook *)executor)->stops++;
  return fut_future_ask(&task->future);
}

static void note_join(fut_executor *executor) {
  ((notebook *)executor)->joins++;
}

static void note_stats(fut_executor *executor, fut_executor_stats *stats) {
  *stats = (fut_executor_stats){.workers = 3, .pending = 5};
  (void)executor;
}

static void note_free(fut_object *object) {
  notebook *self = (notebook *)object;
  self->frees++;
  fut_executor_fini(&self->executor);
}

static const fut_executor_ops notebook_ops = {.object = {"notebook", note_free},
                                              .submit = note_submit,
                                              .shutdown = note_shutdown,
                                              .join = note_join,
                                              .stop = note_stop,
                                              .stats = note_stats,
                                              .broken = FUT_EBROKENTHREADS};

static void passed_on(void **unused) {
  (void)unused;
  notebook book = {.task = NULL};
  fut_executor *executor = &book.executor;
  assert_int_equal(fut_executor_init(executor, &notebook_ops, FUT_UNLIMITED),
                   FUT_OK);
  assert_false(fut_executor_forked(executor));
  fut_arena *arena = job_arena();
  job *task = job_new(arena, NULL, NULL);
  assert_int_equal(fut_executor_submit(executor, &task->task), FUT_OK);
  assert_ptr_equal(book.task, &task->task);
  assert_int_equal(job_state(task), FUT_PENDING);
  job_release(task);
  fut_arena_close(arena);

  fut_executor_stats stats;
  fut_executor_stats_get(executor, &stats);
  assert_int_equal(stats.workers, 3);
  assert_int_equal(stats.pending, 5);

  fut_future *terminated = fut_executor_terminated(executor);
  assert_int_equal(fut_future_state(terminated), FUT_PENDING);
  fut_executor_shutdown(executor, false);
  fut_executor_shutdown(executor, true);
  assert_int_equal(book.shutdowns, 2);
  assert_int_equal(book.cancels, 1);
  assert_int_equal(fut_future_state(terminated), FUT_FINISHED);
  fut_executor_join(executor);
  assert_int_equal(book.joins, 1);
  fut_object_release(&executor->object);
  assert_int_equal(book.frees, 1);
}

static void stopped(void **unused) {
  (void)unused;
  notebook book = {.task = NULL};
  assert_int_equal(
      fut_executor_init(&book.executor, &notebook_ops, FUT_UNLIMITED), FUT_OK);
  fut_arena *arena = job_arena();
  job *pending = job_new(arena, NULL, NULL),
      *running = job_new(arena, NULL, NULL);
  assert_int_equal(fut_executor_submit(&book.executor, &pending->task), FUT_OK);
  assert_int_equal(fut_executor_submit(&book.executor, &running->task), FUT_OK);
  assert_true(fut_future_start(&running->task.future));
  assert_false(fut_future_asked(&running->task.future));
  assert_true(fut_task_stop(&running->task));
  assert_int_equal(book.stops, 1);
  assert_true(fut_future_asked(&running->task.future));
  assert_true(fut_task_stop(&pending->task));
  assert_false(fut_future_asked(&pending->task.future)); /* it never ran */
  assert_int_equal(job_state(pending), FUT_CANCELLED);
  assert_int_equal(book.stops, 1);
  fut_future_end(&running->task.future, FUT_FINISHED);
  job_release(pending);
  job_release(running);
  fut_object_release(&book.executor.object);
  fut_arena_close(arena);
}

static void abandoned(void **unused) {
  (void)unused;
  notebook book = {.task = NULL};
  assert_int_equal(
      fut_executor_init(&book.executor, &notebook_ops, FUT_UNLIMITED), FUT_OK);
  fut_executor_abandon(&book.executor); /* it has no way of its own */
  assert_int_equal(book.shutdowns, 1);
  assert_int_equal(book.cancels, 0);
  fut_object_release(&book.executor.object);
}

static void outlived(void **unused) {
  (void)unused;
  ledger memory;
  ledger_open(&memory);
  notebook book = {.task = NULL};
  assert_int_equal(
      fut_executor_init(&book.executor, &notebook_ops, FUT_UNLIMITED), FUT_OK);
  fut_future *terminated = fut_executor_terminated(&book.executor);
  fut_object_hold(&terminated->object);
  fut_object_release(&book.executor.object);
  assert_false(fut_state_done(fut_future_state(terminated)));
  fut_future_release(terminated, NULL);
  assert_int_equal(ledger_close(&memory), 0);
}

static void no_memory(void **unused) {
  (void)unused;
  ledger memory;
  ledger_open(&memory);
  fut_err err;
  long allowed = 0;
  do {
    notebook book = {.task = NULL};
    ledger_allow(&memory, allowed++);
    err = fut_executor_init(&book.executor, &notebook_ops, FUT_UNLIMITED);
    if (err == FUT_OK)
      fut_executor_fini(&book.executor);
    else
      assert_int_equal(err, FUT_ENOMEM);
    assert_int_equal(atomic_load(&memory.blocks), 0);
  } while (err != FUT_OK);
  assert_true(allowed > 1);
  assert_int_equal(ledger_close(&memory), 0);
}

static void refusals(void **unused) {
  (void)unused;
  notebook book = {.task = NULL};
  fut_executor *executor = &book.executor;
  assert_int_equal(fut_executor_init(executor, &notebook_ops, FUT_UNLIMITED),
                   FUT_OK);
  assert_int_equal(fut_executor_refusal(executor), FUT_OK);
  fut_executor_shutdown(executor, false);
  assert_int_equal(fut_executor_refusal(executor), FUT_ESHUTDOWN);
  assert_true(fut_executor_break(executor, "the mill stands still"));
  assert_int_equal(fut_executor_refusal(executor), FUT_EBROKENTHREADS);
  assert_int_equal(fut_executor_demands(executor, 0), FUT_GIVE_UP);
  fut_object_release(&executor->object);
}

static void counts_behind(void **unused) {
  (void)unused;
  notebook book = {.task = NULL};
  assert_int_equal(
      fut_executor_init(&book.executor, &notebook_ops, FUT_UNLIMITED), FUT_OK);
  atomic_fetch_add(&book.executor.behind, 100);
  fut_executor_stats stats;
  fut_executor_stats_get(&book.executor, &stats);
  assert_int_equal(stats.pending, 105);
  fut_object_release(&book.executor.object);
}

static int use_in_child(void *context) {
  notebook *book = context;
  fut_executor *executor = &book->executor;
  fut_arena *arena = job_arena();
  job *task = job_new(arena, NULL, NULL);
  job_hold(task);
  fut_err err = fut_executor_submit(executor, &task->task);
  fut_executor_shutdown(executor, true);
  bool right = fut_executor_forked(executor) && err == FUT_EFORKED &&
               job_state(task) == FUT_CANCELLED && book->task == NULL &&
               book->shutdowns == 0;
  job_release(task);
  return right ? 42 : 1;
}

static void forked(void **unused) {
  (void)unused;
  notebook book = {.task = NULL};
  assert_int_equal(
      fut_executor_init(&book.executor, &notebook_ops, FUT_UNLIMITED), FUT_OK);
  int status = child_run(use_in_child, &book);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 42);
  assert_false(fut_executor_forked(&book.executor));
  fut_object_release(&book.executor.object);
}

static const struct CMUnitTest executor_tests[] = {
    CASE("a forked child cannot use what its parent made", forked),
    CASE("what is asked is passed on to the kind of executor", passed_on),
    CASE("a running task is asked to stop", stopped),
    CASE("one without handles is shut down", abandoned),
    CASE("it tells why it takes no tasks", refusals),
    CASE("what tasks that are many stand for is pending", counts_behind),
    CASE("who holds its termination may outlive it", outlived),
    CASE("without memory it is not made, and nothing is lost", no_memory),
};

int main(void) { return cmocka_run_group_tests(executor_tests, NULL, NULL); }
