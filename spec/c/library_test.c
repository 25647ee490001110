/* library_test.c - futures.h: tasks of C functions, and who is told of them */
#include "support/host.h"

#include "support/crew.h"

static void *increment(void *argument) {
  ++*(int *)argument;
  return argument;
}

static void result(void **unused) {
  (void)unused;
  futures_executor *pool = host_pool(2);
  int number = 41;
  assert_ptr_equal(host_result(host_submit(pool, increment, &number)), &number);
  assert_int_equal(number, 42);
  host_close(pool);
}

static void defaults(void **unused) {
  (void)unused;
  futures_executor *pool = NULL;
  futures_pool_options options = {.max_workers = 65536};
  assert_int_equal(futures_thread_pool_new(&options, &pool), FUTURES_EINVAL);
  assert_null(pool);
  assert_int_equal(futures_thread_pool_new(NULL, &pool), FUTURES_OK);
  assert_null(host_result(host_submit(pool, nothing, NULL)));
  host_close(pool);
  assert_true(futures_cpu_count() >= 1);
}

static void timeout(void **unused) {
  (void)unused;
  futures_executor *pool = host_pool(1);
  door at;
  door_init(&at);
  futures_future *future = host_submit(pool, door_wait, &at);
  void *value = &value;
  assert_int_equal(futures_result(future, FUTURES_POLL, &value),
                   FUTURES_ETIMEDOUT);
  assert_int_equal(futures_result(future, futures_after(0.01), &value),
                   FUTURES_ETIMEDOUT);
  assert_ptr_equal(value, &value);
  assert_true(latch_wait(&at.entered));
  assert_int_equal(futures_future_state(future), FUTURES_RUNNING);
  assert_false(futures_cancel(future));
  latch_down(&at.opened);
  assert_int_equal(futures_result(future, soon(), NULL), FUTURES_OK);
  assert_int_equal(futures_future_state(future), FUTURES_FINISHED);
  assert_int_equal(futures_result(future, FUTURES_POLL, &value), FUTURES_OK);
  assert_ptr_equal(value, &at);
  futures_future_release(future);
  host_close(pool);
  door_fini(&at);
}

/* What callbacks were told. */
typedef struct record {
  futures_future *future;
  futures_state state;
  pthread_t thread;
  int turn;
  latch done;
} record;

static atomic_int turns;

static void record_init(record *self) {
  *self = (record){.turn = -1};
  latch_init(&self->done, 1);
}

static void told(futures_future *future, void *context) {
  record *self = context;
  self->future = future;
  self->state = futures_future_state(future);
  self->thread = pthread_self();
  self->turn = atomic_fetch_add(&turns, 1);
  latch_down(&self->done);
}

static void *self_thread(void *argument) {
  *(pthread_t *)argument = pthread_self();
  return argument;
}

static void callbacks(void **unused) {
  (void)unused;
  futures_executor *pool = host_pool(1);
  door at;
  door_init(&at);
  futures_future *gate = host_submit(pool, door_wait, &at);
  pthread_t worker;
  futures_future *future = host_submit(pool, self_thread, &worker);
  record records[3];
  atomic_store(&turns, 0);
  for (int i = 0; i < 3; i++)
    record_init(&records[i]);
  for (int i = 0; i < 2; i++)
    assert_int_equal(futures_add_done_callback(future, told, &records[i]),
                     FUTURES_OK);
  latch_down(&at.opened);
  for (int i = 0; i < 2; i++)
    assert_true(latch_wait(&records[i].done));
  assert_int_equal(futures_add_done_callback(future, told, &records[2]),
                   FUTURES_OK);
  for (int i = 0; i < 3; i++) {
    assert_ptr_equal(records[i].future, future);
    assert_int_equal(records[i].state, FUTURES_FINISHED);
    assert_int_equal(records[i].turn, i);
    assert_true(
        pthread_equal(records[i].thread, i < 2 ? worker : pthread_self()));
    latch_fini(&records[i].done);
  }
  futures_future_release(gate);
  futures_future_release(future);
  host_close(pool);
  door_fini(&at);
}

static void cancelled(void **unused) {
  (void)unused;
  futures_executor *pool = host_pool(1);
  door at;
  door_init(&at);
  futures_future *gate = host_submit(pool, door_wait, &at);
  futures_future *one = host_submit(pool, nothing, NULL);
  futures_future *other = host_submit(pool, nothing, NULL);
  record first, second;
  record_init(&first);
  record_init(&second);
  futures_add_done_callback(one, told, &first);
  futures_add_done_callback(other, told, &second);
  assert_true(futures_cancel(one));
  assert_true(futures_cancel(one));
  assert_int_equal(futures_result(one, FUTURES_POLL, NULL), FUTURES_ECANCELED);
  assert_int_equal(first.state, FUTURES_CANCELLED);
  assert_int_equal(second.turn, -1);
  assert_true(latch_wait(&at.entered));
  futures_shutdown(pool, true);
  assert_int_equal(second.state, FUTURES_CANCELLED);
  assert_true(pthread_equal(second.thread, pthread_self()));
  assert_int_equal(futures_submit(pool, nothing, NULL, NULL),
                   FUTURES_ESHUTDOWN);
  assert_int_equal(futures_join(pool, futures_after(0.01)), FUTURES_ETIMEDOUT);
  latch_down(&at.opened);
  assert_ptr_equal(host_result(gate), &at);
  host_close(pool);
  futures_future_release(one);
  futures_future_release(other);
  latch_fini(&first.done);
  latch_fini(&second.done);
  door_fini(&at);
}

static atomic_int ran;

static void *count_run(void *argument) {
  atomic_fetch_add(&ran, 1);
  return argument;
}

static void given_up(void **unused) {
  (void)unused;
  atomic_store(&ran, 0);
  futures_executor *pool = host_pool(2);
  futures_executor_hold(pool);
  futures_executor_release(pool);
  futures_future *last = NULL;
  for (int i = 0; i < 100; i++) {
    futures_future_release(last);
    last = host_submit(pool, count_run, NULL);
  }
  assert_int_equal(futures_submit(pool, count_run, NULL, NULL), FUTURES_OK);
  futures_executor_release(pool);
  futures_future_hold(last);
  futures_future_release(last);
  assert_null(host_result(last));
  futures_deadline limit = soon();
  while (atomic_load(&ran) < 101 && futures_after(0.001) < limit)
    sched_yield();
  assert_int_equal(atomic_load(&ran), 101);
}

/* What many threads share. */
typedef struct market {
  futures_executor *pool;
  unsigned count;
  futures_future *shared;
} market;

static void *add_one(void *argument) {
  atomic_fetch_add((atomic_uint *)argument, 1);
  return argument;
}

static void trade(void *context, unsigned index) {
  market *all = context;
  atomic_uint sum = 0;
  enum { BATCH = 50 };
  futures_future *fs[BATCH];
  for (unsigned round = 0; round < all->count; round++) {
    for (int i = 0; i < BATCH; i++)
      fs[i] = host_submit(all->pool, add_one, &sum);
    assert_int_equal(futures_wait_all(fs, BATCH, soon()), FUTURES_OK);
    for (int i = 0; i < BATCH; i++)
      futures_future_release(fs[i]);
  }
  assert_int_equal(atomic_load(&sum), all->count * BATCH);
  assert_int_equal(futures_result(all->shared, soon(), NULL), FUTURES_OK);
  if (index == 0) /* given up by a thread that did not submit it */
    futures_future_release(all->shared);
}

static void many_threads(void **unused) {
  (void)unused;
  market all = {.pool = host_pool(3), .count = scaled(100)};
  all.shared = host_submit(all.pool, nothing, NULL);
  futures_future_hold(all.shared);
  crew_run(4, trade, &all);
  futures_future_release(all.shared);
  host_close(all.pool);
}

static void messages(void **unused) {
  (void)unused;
  for (futures_status i = FUTURES_OK; i <= FUTURES_EINVAL; i++)
    assert_string_not_equal(futures_status_message(i), "unknown status");
  assert_string_equal(futures_status_message(FUTURES_EINVAL + 1),
                      "unknown status");
}

static const struct CMUnitTest library_tests[] = {
    CASE("what the function returns is the result", result),
    CASE("a pool without options has a worker for each CPU", defaults),
    CASE("a deadline ends the wait and not the task", timeout),
    CASE("callbacks run on the worker, late ones at once", callbacks),
    CASE("who cancels or shuts down runs the callbacks", cancelled),
    CASE("a pool that is given up finishes its tasks", given_up),
    CASE("any thread submits, waits and gives up", many_threads),
    CASE("every status has a message", messages),
};

int main(void) { return cmocka_run_group_tests(library_tests, NULL, NULL); }
