/* library_wait_test.c - futures.h: waiting for the first, for all, in tasks */
#include "support/host.h"

enum { MANY = 40 }; /* more than need no memory */

typedef struct doors {
  futures_executor *pool;
  door at[MANY];
  futures_future *fs[MANY];
} doors;

static void doors_open(doors *all, unsigned count) {
  all->pool = host_pool(count);
  for (unsigned i = 0; i < count; i++) {
    door_init(&all->at[i]);
    all->fs[i] = host_submit(all->pool, door_wait, &all->at[i]);
  }
}

static void doors_close(doors *all, unsigned count) {
  host_close(all->pool);
  for (unsigned i = 0; i < count; i++) {
    futures_future_release(all->fs[i]);
    door_fini(&all->at[i]);
  }
}

static void first_of(unsigned count) {
  doors all;
  doors_open(&all, count);
  size_t first = 99;
  assert_int_equal(
      futures_wait_first(all.fs, count, futures_after(0.01), &first),
      FUTURES_ETIMEDOUT);
  assert_int_equal(futures_wait_first(all.fs, count, FUTURES_POLL, &first),
                   FUTURES_ETIMEDOUT);
  assert_int_equal(first, 99);
  latch_down(&all.at[count - 1].opened);
  assert_int_equal(futures_wait_first(all.fs, count, soon(), &first),
                   FUTURES_OK);
  assert_int_equal(first, count - 1);
  assert_int_equal(futures_wait_first(all.fs, count, FUTURES_POLL, NULL),
                   FUTURES_OK);
  for (unsigned i = 0; i + 1 < count; i++)
    latch_down(&all.at[i].opened);
  doors_close(&all, count);
}

static void first(void **unused) {
  (void)unused;
  first_of(3);
  first_of(MANY);
  assert_int_equal(futures_wait_first(NULL, 0, FUTURES_NEVER, NULL),
                   FUTURES_EINVAL);
}

static void all(void **unused) {
  (void)unused;
  doors all;
  doors_open(&all, 3);
  futures_future *twice[] = {all.fs[0], all.fs[1], all.fs[0]};
  assert_int_equal(futures_wait_all(NULL, 0, FUTURES_NEVER), FUTURES_OK);
  latch_down(&all.at[0].opened);
  assert_int_equal(futures_wait_all(all.fs, 1, soon()), FUTURES_OK);
  assert_int_equal(futures_wait_all(twice, 3, futures_after(0.01)),
                   FUTURES_ETIMEDOUT);
  assert_int_equal(futures_wait_all(twice, 3, FUTURES_POLL), FUTURES_ETIMEDOUT);
  latch_down(&all.at[1].opened);
  assert_int_equal(futures_wait_all(twice, 3, soon()), FUTURES_OK);
  latch_down(&all.at[2].opened);
  assert_int_equal(futures_wait_all(all.fs, 3, soon()), FUTURES_OK);
  doors_close(&all, 3);
}

static void with_cancelled(void **unused) {
  (void)unused;
  futures_executor *pool = host_pool(1);
  door at;
  door_init(&at);
  futures_future *fs[2];
  fs[0] = host_submit(pool, door_wait, &at);
  fs[1] = host_submit(pool, nothing, NULL);
  assert_true(futures_cancel(fs[1]));
  size_t first = 99;
  assert_int_equal(futures_wait_first(fs, 2, soon(), &first), FUTURES_OK);
  assert_int_equal(first, 1);
  latch_down(&at.opened);
  assert_int_equal(futures_wait_all(fs, 2, soon()), FUTURES_OK);
  futures_future_release(fs[0]);
  futures_future_release(fs[1]);
  host_close(pool);
  door_fini(&at);
}

/* Tasks of a pool with one worker, which wait for others of it. */
typedef struct tree {
  futures_executor *pool;
  int depth;
  int how; /* to wait: 0 result, 1 all, 2 first */
} tree;

static void *grow(void *argument) {
  const tree *self = argument;
  if (self->depth == 0)
    return (void *)(uintptr_t)1;
  tree branch = {self->pool, self->depth - 1, self->how};
  futures_future *fs[2];
  uintptr_t sum = 0;
  for (int i = 0; i < 2; i++)
    if (futures_submit(self->pool, grow, &branch, &fs[i]) != FUTURES_OK)
      return NULL;
  if (self->how == 1)
    futures_wait_all(fs, 2, soon());
  else if (self->how == 2)
    futures_wait_first(fs, 2, soon(), NULL);
  for (int i = 0; i < 2; i++) {
    void *leaves = NULL;
    futures_result(fs[i], soon(), &leaves);
    sum += (uintptr_t)leaves;
    futures_future_release(fs[i]);
  }
  return (void *)sum;
}

static void in_tasks(void **unused) {
  (void)unused;
  futures_executor *pool = host_pool(1);
  for (int how = 0; how < 3; how++) {
    tree root = {pool, 6, how};
    assert_int_equal((uintptr_t)host_result(host_submit(pool, grow, &root)),
                     64);
  }
  host_close(pool);
}

static void *join_own(void *argument) {
  futures_shutdown(argument, false);
  return (void *)(uintptr_t)futures_join(argument, FUTURES_NEVER);
}

static void own_end(void **unused) {
  (void)unused;
  futures_executor *pool = host_pool(1);
  uintptr_t status = (uintptr_t)host_result(host_submit(pool, join_own, pool));
  assert_int_equal(status, FUTURES_EDEADLOCK);
  host_close(pool);
}

static const struct CMUnitTest wait_tests[] = {
    CASE("the first to end is told", first),
    CASE("all means all, also when some stand there twice", all),
    CASE("a cancelled future has ended", with_cancelled),
    CASE("tasks that wait for tasks run them on the spot", in_tasks),
    CASE("a task cannot wait for the end of its own pool", own_end),
};

int main(void) { return cmocka_run_group_tests(wait_tests, NULL, NULL); }
