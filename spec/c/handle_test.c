/* handle_test.c - who may still submit to an executor: it ends with the last */
#include "handle.h"

#include "support/cases.h"
#include "support/child.h"
#include "support/gate.h"
#include "support/pool.h"

static bool over(fut_executor *pool) {
  return fut_state_done(fut_future_state(fut_executor_terminated(pool)));
}

/* Requires that the pool is shutting down. */
static void let_go(fut_executor *pool) {
  assert_true(pool_over(pool));
  fut_object_release(&pool->object);
}

static void unhandled(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  assert_false(fut_handle_none(pool));
  assert_null(fut_handle_executor(&pool->object));
  fut_arena *arena = job_arena();
  job *task = job_new(arena, NULL, NULL);
  assert_int_equal(pool_submit(pool, task), FUT_OK);
  assert_true(await(&task->task.future));
  assert_false(over(pool));
  job_release(task);
  pool_close(pool);
  fut_arena_close(arena);
}

static void counted(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  fut_object *first = fut_handle_hold(pool);
  fut_object *second = fut_handle_hold(pool);
  assert_ptr_equal(fut_handle_executor(first), pool);
  fut_object_release(first);
  assert_false(fut_handle_none(pool));
  assert_false(over(pool));
  fut_object_release(second);
  assert_true(fut_handle_none(pool));
  assert_true(over(pool)); /* it had nothing to do */
  let_go(pool);
}

static void kept_alive(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  fut_object *handle = fut_handle_hold(pool);
  fut_object_release(&pool->object); /* the handle has a reference */
  assert_false(fut_executor_forked(pool));
  fut_object_hold(&pool->object);
  fut_object_release(handle);
  let_go(pool);
}

static void taken_again(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  fut_arena *arena = job_arena();
  gate busy;
  gate_close(&busy, pool, arena, 0);
  assert_true(gate_entered(&busy));
  fut_object_release(fut_handle_hold(pool));
  assert_true(fut_handle_none(pool));
  fut_object *handle = fut_handle_hold(pool);
  assert_false(fut_handle_none(pool));
  gate_open(&busy);
  job *task = job_new(arena, NULL, NULL);
  assert_int_equal(pool_submit(pool, task), FUT_OK); /* it is open */
  assert_true(await(&task->task.future));
  job_release(task);
  fut_object_release(handle);
  let_go(pool);
  fut_arena_close(arena);
}

/* A chain of jobs each of which submits the next. */
typedef struct chain {
  fut_executor *pool;
  fut_arena *arena; /* used by one job after the other */
  unsigned left;
} chain;

static void submit_next(job *self) {
  chain *line = self->context;
  if (--line->left > 0)
    assert_int_equal(pool_spawn(line->pool, line->arena, submit_next, line),
                     FUT_OK);
}

static void finishes(void **unused) {
  (void)unused;
  for (unsigned round = 0; round < scaled(200); round++) {
    chain line = {pool_new(1 + round % 3), job_arena(), 20};
    fut_object *handle = fut_handle_hold(line.pool);
    assert_int_equal(pool_spawn(line.pool, line.arena, submit_next, &line),
                     FUT_OK);
    fut_object_release(handle); /* while it runs */
    assert_true(pool_over(line.pool));
    assert_int_equal(line.left, 0);
    fut_object_release(&line.pool->object);
    fut_arena_close(line.arena);
  }
}

static void closed_by_hand(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  fut_object *handle = fut_handle_hold(pool);
  fut_executor_shutdown(pool, false);
  fut_object_release(handle);
  let_go(pool);
}

static int release_there(void *pool) {
  fut_object_release(&((fut_executor *)pool)->handle);
  return over(pool);
}

static void forked(void **unused) {
  (void)unused;
  fut_executor *pool = pool_new(1);
  fut_object *handle = fut_handle_hold(pool);
  assert_int_equal(child_run(release_there, pool), 0);
  assert_false(over(pool));
  fut_object_release(handle);
  let_go(pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE("an executor without handles stays open", unhandled),
      CASE("it ends with the last handle", counted),
      CASE("handles keep its memory", kept_alive),
      CASE("one may be taken after the last has gone", taken_again),
      CASE("its tasks finish, and what they submit", finishes),
      CASE("one that was shut down does not mind", closed_by_hand),
      CASE("in a forked child nothing happens", forked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
