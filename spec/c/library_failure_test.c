/* library_failure_test.c - futures.h where memory runs out, and after a fork */
#include "support/host.h"

#include "support/child.h"
#include "support/crew.h"
#include "support/ledger.h"

static void count(futures_future *future, void *context) {
  (void)future;
  atomic_fetch_add((atomic_int *)context, 1);
}

typedef struct trial {
  ledger memory;
  futures_status status;
} trial;

/* Use all there is; note the first status that is not FUTURES_OK. Requires a
   thread of its own, which gives back what the library kept for it. */
static void use_all(void *context, unsigned index) {
  (void)index;
  trial *self = context;
  futures_status *status = &self->status;
  futures_executor *pool;
  *status = futures_thread_pool_new(NULL, &pool);
  if (*status != FUTURES_OK)
    return;
  futures_future *fs[20];
  size_t made = 0;
  atomic_int told = 0, added = 0;
  while (made < 20 && *status == FUTURES_OK) {
    *status = futures_submit(pool, nothing, NULL, &fs[made]);
    if (*status != FUTURES_OK)
      break;
    *status = futures_add_done_callback(fs[made++], count, &told);
    added += *status == FUTURES_OK;
  }
  if (*status == FUTURES_OK)
    *status = futures_wait_all(fs, made, soon());
  futures_shutdown(pool, false);
  futures_status joined = futures_join(pool, soon());
  if (joined == FUTURES_ENOMEM) {
    ledger_allow(&self->memory, -1);
    joined = futures_join(pool, soon());
  }
  if (*status == FUTURES_OK)
    *status = joined;
  if (told != added && *status == FUTURES_OK)
    *status = FUTURES_EINVAL;
  for (size_t i = 0; i < made; i++)
    futures_future_release(fs[i]);
  futures_executor_release(pool);
}

static void no_memory(void **unused) {
  (void)unused;
  trial self;
  ledger_open(&self.memory);
  long allowed = 0;
  do {
    ledger_allow(&self.memory, allowed++);
    crew_run(1, use_all, &self);
    assert_true(self.status == FUTURES_OK || self.status == FUTURES_ENOMEM);
    assert_int_equal(atomic_load(&self.memory.blocks), 0);
  } while (self.status != FUTURES_OK && allowed < 10000);
  assert_int_equal(self.status, FUTURES_OK);
  assert_int_equal(ledger_close(&self.memory), 0);
}

static void allocator(void **unused) {
  (void)unused;
  trial self = {.memory = {.left = -1}};
  futures_set_allocator(ledger_call, &self.memory);
  crew_run(1, use_all, &self);
  futures_set_allocator(NULL, NULL);
  assert_int_equal(self.status, FUTURES_OK);
  assert_true(atomic_load(&self.memory.made) > 5);
  assert_int_equal(atomic_load(&self.memory.blocks), 0);
}

typedef struct family {
  futures_executor *pool;
  futures_future *done, *running, *pending;
  door at;
} family;

/* In the child: what is old raises at once, what is new works. */
static int child(void *context) {
  family *old = context;
  futures_future *both[] = {old->done, old->pending};
  futures_executor *pool;
  futures_future *future;
  size_t first = 9;
  int failures = 0;
  failures += futures_submit(old->pool, nothing, NULL, NULL) != FUTURES_EFORKED;
  failures += futures_result(old->done, FUTURES_NEVER, NULL) != FUTURES_OK;
  failures +=
      futures_result(old->running, FUTURES_NEVER, NULL) != FUTURES_EFORKED;
  failures +=
      futures_result(old->pending, FUTURES_NEVER, NULL) != FUTURES_EFORKED;
  failures += futures_wait_all(both, 2, FUTURES_NEVER) != FUTURES_EFORKED;
  failures += futures_wait_first(both, 2, FUTURES_NEVER, &first) != FUTURES_OK;
  failures += first != 0;
  futures_shutdown(old->pool, true);
  failures += futures_join(old->pool, FUTURES_NEVER) != FUTURES_EFORKED;
  failures += !futures_cancel(old->pending);
  futures_future_release(old->running);
  futures_future_release(old->pending);
  futures_future_release(old->done);
  futures_executor_release(old->pool);
#ifdef FUT_TSAN
  return failures; /* it knows no new threads in a child */
#endif
  failures += futures_thread_pool_new(NULL, &pool) != FUTURES_OK;
  for (int i = 0; i < 100; i++) {
    failures += futures_submit(pool, nothing, &first, &future) != FUTURES_OK;
    failures += futures_result(future, soon(), NULL) != FUTURES_OK;
    futures_future_release(future);
  }
  futures_shutdown(pool, false);
  failures += futures_join(pool, soon()) != FUTURES_OK;
  futures_executor_release(pool);
  return failures;
}

static void forked(void **unused) {
  (void)unused;
  family old = {.pool = host_pool(1)};
  door_init(&old.at);
  old.done = host_submit(old.pool, nothing, NULL);
  assert_int_equal(futures_result(old.done, soon(), NULL), FUTURES_OK);
  old.running = host_submit(old.pool, door_wait, &old.at);
  old.pending = host_submit(old.pool, nothing, NULL);
  assert_true(latch_wait(&old.at.entered));
  int status = child_run(child, &old);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  latch_down(&old.at.opened);
  assert_ptr_equal(host_result(old.running), &old.at);
  host_result(old.pending);
  futures_future_release(old.done);
  host_close(old.pool);
  door_fini(&old.at);
}

/* Threads that submit and wait while another forks. */
typedef struct storm {
  futures_executor *pool;
  atomic_bool over;
} storm;

static int use_new(void *context) {
  (void)context;
  futures_executor *pool;
  futures_future *future;
  return futures_thread_pool_new(NULL, &pool) != FUTURES_OK ||
         futures_submit(pool, nothing, NULL, &future) != FUTURES_OK ||
         futures_result(future, soon(), NULL) != FUTURES_OK;
}

static void rage(void *context, unsigned index) {
  storm *all = context;
  if (index == 0) {
    for (unsigned i = 0; i < scaled(100); i++) {
      futures_future *future = host_submit(all->pool, nothing, NULL);
      int status = child_run(use_new, NULL);
      assert_true(WIFEXITED(status));
      assert_int_equal(WEXITSTATUS(status), 0);
      host_result(future);
    }
    atomic_store(&all->over, true);
  }
  while (!atomic_load(&all->over))
    host_result(host_submit(all->pool, nothing, NULL));
}

static void in_a_storm(void **unused) {
  (void)unused;
#if defined(FUT_ASAN) || defined(FUT_TSAN)
  skip(); /* they do not let a child go on with threads, or with their locks */
#endif
  storm all = {.pool = host_pool(2)};
  crew_run(3, rage, &all);
  host_close(all.pool);
}

static void *fork_here(void *argument) {
  *(pid_t *)argument = fork();
  return argument; /* in both */
}

static void in_a_task(void **unused) {
  (void)unused;
  futures_executor *pool = host_pool(1);
  pid_t pid = -1;
  host_result(host_submit(pool, fork_here, &pid));
  assert_true(pid > 0);
  int status = child_wait(pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  host_close(pool);
}

static const struct CMUnitTest failure_tests[] = {
    CASE("a host's allocator gets back all that it gave", allocator),
    CASE("without memory calls say so, and nothing is lost", no_memory),
    CASE("a child uses new pools and not those of its parent", forked),
    CASE("a fork among busy threads leaves the child no lock", in_a_storm),
    CASE("a process forked off in a task ends with the task", in_a_task),
};

int main(void) { return cmocka_run_group_tests(failure_tests, NULL, NULL); }
