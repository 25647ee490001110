/* parker_test.c - where one thread sleeps until another wakes it */
#include "parker.h"

#include "support/alarm.h"
#include "support/cases.h"
#include "support/child.h"
#include "support/crew.h"
#include "support/ledger.h"

#include <sys/resource.h>

static fut_err park(fut_parker *parker, double seconds) {
  return fut_parker_park(parker, fut_deadline_after(seconds), NULL, NULL);
}

static void kept(void **unused) {
  (void)unused;
  fut_parker *parker = fut_parker_new();
  assert_int_equal(park(parker, 0), FUT_ETIMEDOUT);
  fut_parker_unpark(parker);
  assert_int_equal(park(parker, 0), FUT_OK);
  fut_parker_unpark(parker);
  assert_int_equal(fut_parker_park(parker, FUT_NEVER, NULL, NULL), FUT_OK);
  fut_parker_unpark(parker);
  assert_int_equal(fut_parker_park(parker, FUT_NEVER, alarm_rang, NULL),
                   FUT_OK);
  assert_int_equal(park(parker, 0), FUT_ETIMEDOUT);
  fut_parker_free(parker);
  fut_parker_free(NULL);
}

static void one(void **unused) {
  (void)unused;
  fut_parker *parker = fut_parker_new();
  for (int i = 0; i < 5; i++)
    fut_parker_unpark(parker);
  assert_int_equal(park(parker, 1000), FUT_OK);
  assert_int_equal(park(parker, 0), FUT_ETIMEDOUT);
  fut_parker_free(parker);
}

static bool calm(void *context) {
  (void)context;
  return false;
}

/* Short sleeps and, with attention, those that go over to a descriptor. */
static void deadline(void **unused) {
  (void)unused;
  fut_parker *parker = fut_parker_new();
  const struct {
    double seconds;
    fut_attention *attention;
  } sleeps[] = {{0.02, NULL}, {0.02, calm}, {0.13, NULL}, {0.13, calm}};
  for (int i = 0; i < 4; i++) {
    fut_deadline before = fut_clock_now();
    fut_deadline until = fut_deadline_after(sleeps[i].seconds);
    fut_err err;
    do /* a sleep may end for no reason */
      err = fut_parker_park(parker, until, sleeps[i].attention, NULL);
    while (err == FUT_EINTR);
    int64_t took = fut_clock_now() - before;
    assert_int_equal(err, FUT_ETIMEDOUT);
    assert_true((double)took >= sleeps[i].seconds * 1e9);
    assert_true((double)took < within(2) * 1e9);
  }
  fut_parker_free(parker);
}

static void no_memory(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  ledger_allow(&book, 0);
  assert_null(fut_parker_new());
  assert_int_equal(ledger_close(&book), 0);
}

/* --- two threads ---------------------------------------------------------- */

typedef struct table {
  fut_parker *parkers[2];
  unsigned rounds;
  atomic_uint turn; /* atomic: 2 * rounds + whose turn it is */
} table;

static void play(void *context, unsigned index) {
  table *game = context;
  for (unsigned i = 0; i < game->rounds; i++) {
    while (atomic_load(&game->turn) != 2 * i + index)
      fut_parker_park(game->parkers[index], FUT_NEVER, NULL, NULL);
    atomic_fetch_add(&game->turn, 1);
    fut_parker_unpark(game->parkers[1 - index]);
  }
}

static void ping_pong(void **unused) {
  (void)unused;
  table game = {.rounds = scaled(10000)};
  game.parkers[0] = fut_parker_new();
  game.parkers[1] = fut_parker_new();
  crew_run(2, play, &game);
  assert_int_equal(atomic_load(&game.turn), 2 * game.rounds);
  fut_parker_free(game.parkers[0]);
  fut_parker_free(game.parkers[1]);
}

/* Sleeps that time out now and then, with a wake-up that comes around then:
   none is lost, each counts once. */
typedef struct bell {
  fut_parker *parker;
  unsigned rounds;
  atomic_uint rung, heard;
} bell;

static void ring(void *context, unsigned index) {
  bell *game = context;
  unsigned seed = 1;
  if (index == 0)
    for (unsigned i = 1; i <= game->rounds; i++) {
      while (atomic_load(&game->heard) < i - 1)
        sched_yield();
      for (unsigned pauses = dice(&seed, 2000); pauses > 0; pauses--)
        fut_thread_relax();
      atomic_store(&game->rung, i);
      fut_parker_unpark(game->parker);
    }
  else
    for (unsigned i = 1; i <= game->rounds; i++) {
      while (park(game->parker, dice(&seed, 40) * 1e-6) != FUT_OK)
        ;
      if (atomic_load(&game->rung) == i)
        atomic_store(&game->heard, i);
    }
}

static void near_deadline(void **unused) {
  (void)unused;
  bell game = {.rounds = scaled(4000)};
  game.parker = fut_parker_new();
  crew_run(2, ring, &game);
  assert_int_equal(atomic_load(&game.heard), game.rounds);
  assert_int_equal(park(game.parker, 0), FUT_ETIMEDOUT);
  fut_parker_free(game.parker);
}

/* --- long sleeps ---------------------------------------------------------- */

#define SLEEPERS 32

/* Sleepers with odd indices wake those before them, around the time when an
   attentive sleep goes over to a descriptor. */
static void sleep_long(void *context, unsigned index) {
  fut_parker **parkers = context;
  unsigned seed = index;
  if (index % 2) {
    double after[] = {0.045, 0.049, 0.0495, 0.05,  0.0501, 0.0505, 0.051,
                      0.099, 0.1,   0.1001, 0.101, 0.11,   0.12};
    fut_parker *timer = fut_parker_new();
    fut_deadline until = fut_deadline_after(after[dice(&seed, 13)]);
    while (fut_parker_park(timer, until, NULL, NULL) != FUT_ETIMEDOUT)
      ;
    fut_parker_free(timer);
    fut_parker_unpark(parkers[index - 1]);
  } else
    while (fut_parker_park(parkers[index], FUT_NEVER, calm, NULL) != FUT_OK)
      ;
}

static void woken_from_long(void **unused) {
  (void)unused;
  fut_parker *parkers[SLEEPERS] = {NULL};
  for (int i = 0; i < SLEEPERS; i += 2)
    parkers[i] = fut_parker_new();
  for (int round = 0; round < 3; round++) /* a stale event may be left over */
    crew_run(SLEEPERS, sleep_long, parkers);
  for (int i = 0; i < SLEEPERS; i += 2) {
    assert_int_equal(park(parkers[i], 0), FUT_ETIMEDOUT);
    fut_parker_free(parkers[i]);
  }
}

static int without_descriptors(void **unused) {
  (void)unused;
  struct rlimit before, none;
  getrlimit(RLIMIT_NOFILE, &before);
  none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  fut_parker *parkers[2] = {fut_parker_new(), NULL};
  crew_run(2, sleep_long, parkers);
  fut_parker_free(parkers[0]);
  return setrlimit(RLIMIT_NOFILE, &before);
}

static void no_descriptor(void **unused) {
  assert_int_equal(without_descriptors(unused), 0);
}

/* --- signals -------------------------------------------------------------- */

typedef struct call {
  pthread_t to;
  double after;
} call;

static void call_later(void *context, unsigned index) {
  (void)index;
  call *order = context;
  fut_parker *timer = fut_parker_new();
  park(timer, order->after);
  fut_parker_free(timer);
  alarm_send(order->to);
}

static void signalled(void **unused) {
  (void)unused;
  fut_parker *parker = fut_parker_new();
  const double after[] = {0, 0.00005, 0.0001, 0.02, 0.14};
  for (int i = 0; i < 10; i++) {
    alarm_install(i % 2);
    call order = {pthread_self(), after[i / 2]};
    crew caller;
    fut_deadline before = fut_clock_now();
    crew_start(&caller, 1, call_later, &order);
    while (!alarm_rang(NULL)) /* as wait.c does */
      assert_int_equal(fut_parker_park(parker, FUT_NEVER, alarm_rang, NULL),
                       FUT_EINTR);
    assert_true((double)(fut_clock_now() - before) < within(2) * 1e9);
    crew_join(&caller);
  }
  fut_parker_free(parker);
}

/* --- forks ---------------------------------------------------------------- */

static int sleep_in_child(void *context) {
  fut_deadline until = fut_deadline_after(0.25);
  return fut_parker_park(context, until, calm, NULL) == FUT_ETIMEDOUT ? 0 : 1;
}

static void unpark_later(void *context, unsigned index) {
  fut_parker *timer = fut_parker_new();
  fut_deadline until = fut_deadline_after(0.15);
  (void)index;
  while (fut_parker_park(timer, until, NULL, NULL) != FUT_ETIMEDOUT)
    ;
  fut_parker_free(timer);
  fut_parker_unpark(context);
}

static void forked(void **unused) {
  (void)unused;
  fut_parker *parker = fut_parker_new();
  fut_deadline until = fut_deadline_after(0.11);
  while (fut_parker_park(parker, until, calm, NULL) != FUT_ETIMEDOUT)
    ; /* now it has a descriptor */
  pid_t children[4];
  for (int i = 0; i < 4; i++)
    children[i] = child_start(sleep_in_child, parker);
  crew waker;
  crew_start(&waker, 1, unpark_later, parker);
  until = fut_deadline_after(within(5));
  fut_err err;
  do
    err = fut_parker_park(parker, until, calm, NULL);
  while (err == FUT_EINTR);
  crew_join(&waker);
  for (int i = 0; i < 4; i++)
    assert_int_equal(child_wait(children[i]), 0);
  assert_int_equal(err, FUT_OK);
  fut_parker_free(parker);
}

static const struct CMUnitTest parker_tests[] = {
    CASE("a parent and its forked children do not wake each other", forked),
    CASE("a wake-up before the sleep is kept", kept),
    CASE("several wake-ups before a sleep count as one", one),
    CASE("a sleep ends at its deadline", deadline),
    CASE("without memory there is no parker", no_memory),
    CASE("two threads wake each other in turn", ping_pong),
    CASE("a wake-up near the deadline counts, and counts once", near_deadline),
    CASE("a long attentive sleep is woken in each of its stages",
         woken_from_long),
    CASE("a long sleep without a descriptor is woken too", no_descriptor),
    CASE("a signal ends an attentive sleep, in each of its stages", signalled),
};

int main(void) { return cmocka_run_group_tests(parker_tests, NULL, NULL); }
