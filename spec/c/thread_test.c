/* thread_test.c - what a platform provides to run several threads */
#include "thread.h"

#include "support/cases.h"
#include "support/child.h"
#include "support/crew.h"
#include "support/latch.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#if defined(__linux__) && !defined(FUTURES_PORTABLE)
#include <sys/prctl.h>
#endif

static void write_seven(void *argument) { *(int *)argument = 7; }

static void runs(void **unused) {
  (void)unused;
  int value = 0;
  fut_thread thread;
  assert_int_equal(fut_thread_start(&thread, write_seven, &value), FUT_OK);
  fut_thread_join(thread);
  assert_int_equal(value, 7);
}

static void open_latch(void *argument) { latch_down(argument); }

static void detached(void **unused) {
  (void)unused;
  latch done;
  latch_init(&done, 20);
  fut_thread threads[20];
  for (int i = 0; i < 20; i++) {
    assert_int_equal(fut_thread_start(&threads[i], open_latch, &done), FUT_OK);
    fut_thread_detach(threads[i]);
  }
  assert_true(latch_wait(&done));
  latch_fini(&done);
}

static void read_mask(void *argument) {
  pthread_sigmask(SIG_SETMASK, NULL, argument);
}

static void mask(void **unused) {
  (void)unused;
  sigset_t some, before, after, inside;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &some, &before);
  fut_thread thread;
  assert_int_equal(fut_thread_start(&thread, read_mask, &inside), FUT_OK);
  fut_thread_join(thread);
  pthread_sigmask(SIG_SETMASK, &before, &after);
  for (int i = 1; i < 32; i++)
    assert_int_equal(sigismember(&after, i), i == SIGUSR2);
  const int held[] = {SIGINT, SIGTERM, SIGCHLD, SIGALRM, SIGUSR1};
  for (size_t i = 0; i < sizeof held / sizeof *held; i++)
    assert_true(sigismember(&inside, held[i]));
  const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                        SIGABRT, SIGTRAP, SIGURG};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
    assert_false(sigismember(&inside, faults[i]));
}

#if defined(__linux__) && !defined(FUTURES_PORTABLE)
static void take_name(void *argument) {
  fut_thread_name("a name that is much too long for a thread");
  prctl(PR_GET_NAME, argument);
}

static void name(void **unused) {
  (void)unused;
  char got[64] = "";
  fut_thread thread;
  assert_int_equal(fut_thread_start(&thread, take_name, got), FUT_OK);
  fut_thread_join(thread);
  assert_string_equal(got, "a name that is ");
}
#endif

typedef struct tally {
  fut_mutex mutex;
  unsigned value; /* guarded by mutex */
} tally;

static void add(void *context, unsigned index) {
  (void)index;
  tally *common = context;
  for (int i = 0; i < 10000; i++) {
    fut_mutex_lock(&common->mutex);
    common->value++;
    fut_mutex_unlock(&common->mutex);
  }
}

static void exclusion(void **unused) {
  (void)unused;
  tally common = {.value = 0};
  fut_mutex_init(&common.mutex);
  crew_run(4, add, &common);
  assert_int_equal(common.value, 40000);
  fut_mutex_fini(&common.mutex);
}

/* The last one to lock ends the mutex, while the other may be unlocking. */
static void leave(void *context, unsigned index) {
  (void)index;
  tally *common = context;
  fut_mutex_lock(&common->mutex);
  bool last = ++common->value == 2;
  fut_mutex_unlock(&common->mutex);
  if (last) {
    fut_mutex_fini(&common->mutex);
    free(common);
  }
}

static void end_after_lock(void **unused) {
  (void)unused;
  for (unsigned i = scaled(500); i > 0; i--) {
    tally *common = malloc(sizeof *common);
    common->value = 0;
    fut_mutex_init(&common->mutex);
    crew_run(2, leave, common);
  }
}

static int generation_changed(void *context) {
  return fut_thread_generation() != *(unsigned *)context;
}

static void generation(void **unused) {
  (void)unused;
  unsigned mine = fut_thread_generation();
  int status = child_run(generation_changed, &mine);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  assert_int_equal(fut_thread_generation(), mine);
}

enum { ROOMY = 3, REFUSED = 4 };

static int start_too_many(void *context) {
  (void)context;
  if (getuid() == 0 && setuid(65534) != 0)
    return ROOMY;
  setrlimit(RLIMIT_NPROC, &(struct rlimit){0, 0});
  int value = 0;
  fut_thread thread;
  if (fut_thread_start(&thread, write_seven, &value) != FUT_ETHREAD)
    return ROOMY; /* the system has no such limit for threads */
  return REFUSED;
}

static void no_room(void **unused) {
  (void)unused;
  int status = child_run(start_too_many, NULL);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == ROOMY)
    skip();
  assert_int_equal(WEXITSTATUS(status), REFUSED);
}

static const struct CMUnitTest thread_tests[] = {
    CASE("a fork has another generation, its parent the old one", generation),
    CASE("a system without room for a thread is an outcome", no_room),
    CASE("a thread runs once and can be joined", runs),
    CASE("a detached thread runs too", detached),
    CASE("signals but those of faults and of interruptions are held off from "
         "threads",
         mask),
#if defined(__linux__) && !defined(FUTURES_PORTABLE)
    CASE("a name that is too long is cut off", name),
#endif
    CASE("a mutex lets one thread in at a time", exclusion),
    CASE("who locked after may end a mutex being unlocked", end_after_lock),
};

int main(void) { return cmocka_run_group_tests(thread_tests, NULL, NULL); }
