/* idle_test.c - which workers sleep or search, and whom a new task wakes */
#include "idle.h"

#include "support/await.h"
#include "support/cases.h"
#include "support/crew.h"

#include <string.h>

static bool nothing(void *context) {
  (void)context;
  return false;
}

static bool something(void *context) {
  (void)context;
  return true;
}

static void started(void **unused) {
  (void)unused;
  fut_idle idle;
  fut_idle_init(&idle, 3);
  assert_int_equal(fut_idle_count(&idle), 0);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_START);
    assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_NOBODY); /* one searches */
    assert_int_equal(fut_idle_count(&idle), 1);
    assert_true(fut_idle_found(&idle));
  }
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_NOBODY); /* all are busy */
  assert_int_equal(fut_idle_count(&idle), 0);
  fut_idle_fini(&idle);
}

static void the_last_one(void **unused) {
  (void)unused;
  fut_idle idle;
  fut_idle_init(&idle, 3);
  fut_idle_wake(&idle);
  fut_idle_search(&idle);
  fut_idle_search(&idle);
  assert_int_equal(fut_idle_count(&idle), 3);
  assert_false(fut_idle_found(&idle));
  assert_false(fut_idle_found(&idle));
  assert_true(fut_idle_found(&idle));
  fut_idle_fini(&idle);
}

static void not_started(void **unused) {
  (void)unused;
  fut_idle idle;
  fut_idle_init(&idle, 1);
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_START);
  fut_idle_not_started(&idle, true);
  assert_int_equal(fut_idle_count(&idle), 0);
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_START);
  fut_idle_not_started(&idle, false);
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_NOBODY);
  fut_idle_fini(&idle);
}

static void last_look(void **unused) {
  (void)unused;
  fut_idle idle;
  fut_sleeper sleeper = {.parker = fut_parker_new()};
  fut_idle_init(&idle, 1);
  fut_idle_wake(&idle);
  assert_true(fut_idle_sleep(&idle, &sleeper, something, NULL, FUT_NEVER));
  assert_int_equal(fut_idle_count(&idle), 1);
  assert_true(fut_idle_found(&idle)); /* it searches */
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_NOBODY);
  fut_parker_free(sleeper.parker);
  fut_idle_fini(&idle);
}

static void deadline(void **unused) {
  (void)unused;
  fut_idle idle;
  fut_sleeper sleeper = {.parker = fut_parker_new()};
  fut_idle_init(&idle, 1);
  fut_idle_wake(&idle);
  fut_deadline before = fut_clock_now();
  assert_false(
      fut_idle_sleep(&idle, &sleeper, nothing, NULL, fut_deadline_after(0.02)));
  int64_t took = fut_clock_now() - before;
  assert_true(took >= 20000000);
  assert_true((double)took < within(2) * 1e9);
  assert_int_equal(fut_idle_count(&idle), 1);
  assert_true(fut_idle_found(&idle)); /* it searches, and is not asleep */
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_NOBODY);
  fut_parker_free(sleeper.parker);
  fut_idle_fini(&idle);
}

/* --- sleepers ------------------------------------------------------------- */

#define SLEEPERS 3

typedef struct dormitory {
  fut_idle idle;
  fut_sleeper sleepers[SLEEPERS];
  atomic_uint up;
} dormitory;

static void sleep_once(void *context, unsigned index) {
  dormitory *house = context;
  if (fut_idle_sleep(&house->idle, &house->sleepers[index], nothing, NULL,
                     fut_deadline_after(within(20))))
    atomic_fetch_add(&house->up, 1);
}

static bool all_asleep(void *context) {
  dormitory *house = context;
  return atomic_load(&house->idle.asleep) == SLEEPERS &&
         atomic_load(&house->idle.searching) == 0;
}

static void put_to_sleep(dormitory *house, crew *sleepers) {
  fut_idle_init(&house->idle, SLEEPERS + 1); /* one more may be started */
  atomic_init(&house->up, 0);
  for (int i = 0; i < SLEEPERS; i++) {
    house->sleepers[i].parker = fut_parker_new();
    assert_int_equal(fut_idle_wake(&house->idle), FUT_WAKE_START);
    fut_idle_found(&house->idle);
  }
  for (int i = 0; i < SLEEPERS; i++)
    fut_idle_search(&house->idle);
  crew_start(sleepers, SLEEPERS, sleep_once, house);
  assert_true(eventually(all_asleep, house));
}

static void leave(dormitory *house, crew *sleepers) {
  crew_join(sleepers);
  assert_int_equal(atomic_load(&house->up), SLEEPERS);
  for (int i = 0; i < SLEEPERS; i++)
    fut_parker_free(house->sleepers[i].parker);
  fut_idle_fini(&house->idle);
}

static void one_by_one(void **unused) {
  (void)unused;
  dormitory house;
  crew sleepers;
  put_to_sleep(&house, &sleepers);
  for (int i = 0; i < SLEEPERS; i++) {
    assert_int_equal(fut_idle_wake(&house.idle), FUT_WAKE_WOKEN);
    assert_int_equal(fut_idle_wake(&house.idle), FUT_WAKE_NOBODY);
    assert_true(fut_idle_found(&house.idle));
  }
  assert_int_equal(fut_idle_wake(&house.idle), FUT_WAKE_START);
  leave(&house, &sleepers);
}

static void all_at_once(void **unused) {
  (void)unused;
  dormitory house;
  crew sleepers;
  put_to_sleep(&house, &sleepers);
  fut_idle_wake_all(&house.idle);
  leave(&house, &sleepers);
  fut_idle_init(&house.idle, 1);
  fut_idle_wake_all(&house.idle); /* nobody is fine, too */
  fut_idle_fini(&house.idle);
}

/* Whoever saw a worker being started relied on it to look for its task. */
static void in_its_place(void **unused) {
  (void)unused;
  dormitory house;
  crew sleepers;
  put_to_sleep(&house, &sleepers);
  for (int i = 0; i < SLEEPERS; i++) { /* all are busy, one is to be started */
    fut_idle_wake(&house.idle);
    fut_idle_found(&house.idle);
  }
  assert_int_equal(fut_idle_wake(&house.idle), FUT_WAKE_START);
  crew_join(&sleepers);
  fut_idle_search(&house.idle);
  crew sleeper;
  crew_start(&sleeper, 1, sleep_once, &house); /* one has nothing to do */
  while (atomic_load(&house.idle.asleep) == 0)
    sched_yield();
  assert_int_equal(fut_idle_wake(&house.idle), FUT_WAKE_NOBODY);
  fut_idle_not_started(&house.idle, false);
  crew_join(&sleeper);
  assert_int_equal(atomic_load(&house.up), SLEEPERS + 1);
  for (int i = 0; i < SLEEPERS; i++)
    fut_parker_free(house.sleepers[i].parker);
  fut_idle_fini(&house.idle);
}

/* --- races ---------------------------------------------------------------- */

#define WORKERS 3
#define GIVERS 2

/* Workers share out items as a pool does; whoever takes many at a time puts
   what it does not need into a place of its own where the others look. */
typedef struct works {
  fut_idle idle;
  unsigned rounds;
  atomic_uint items;          /* atomic: given and not taken */
  atomic_uint spare[WORKERS]; /* atomic: taken ahead */
  atomic_uint given, done;    /* atomic: in all */
  atomic_bool closed;
  fut_sleeper sleepers[WORKERS];
} works;

static bool anything(void *context) {
  works *shop = context;
  bool any = atomic_load(&shop->closed) || atomic_load(&shop->items) > 0;
  for (int i = 0; i < WORKERS; i++)
    any = any || atomic_load(&shop->spare[i]) > 0;
  return any;
}

static bool take(atomic_uint *from, unsigned count) {
  unsigned there = atomic_load(from);
  while (there >= count)
    if (atomic_compare_exchange_weak(from, &there, there - count))
      return true;
  return false;
}

static bool find(works *shop, unsigned index) {
  if (take(&shop->spare[index], 1))
    return true;
  if (take(&shop->items, 3)) {
    atomic_fetch_add(&shop->spare[index], 2);
    return true;
  }
  if (take(&shop->items, 1))
    return true;
  for (int i = 0; i < WORKERS; i++)
    if (take(&shop->spare[i], 1))
      return true;
  return false;
}

static void work(works *shop, unsigned index) {
  bool searching = true;
  for (;;) {
    while (!find(shop, index)) {
      if (atomic_load(&shop->closed))
        return;
      if (!searching)
        fut_idle_search(&shop->idle);
      searching = true;
      if (!find(shop, index))
        fut_idle_sleep(&shop->idle, &shop->sleepers[index], anything, shop,
                       FUT_NEVER);
      else
        break;
    }
    if (searching && fut_idle_found(&shop->idle) && anything(shop))
      fut_idle_wake(&shop->idle);
    searching = false;
    atomic_fetch_add(&shop->done, 1);
  }
}

/* In every round the givers give some and wait until all is done: an item
   that nobody is woken for would stay for ever. */
static void give(works *shop, unsigned index) {
  unsigned seed = index;
  for (unsigned i = 1; i <= shop->rounds; i++) {
    for (unsigned n = 1 + dice(&seed, 4); n > 0; n--) {
      atomic_fetch_add(&shop->given, 1);
      atomic_fetch_add(&shop->items, 1);
      if (fut_idle_wake(&shop->idle) == FUT_WAKE_START)
        abort(); /* all run already */
      for (unsigned pauses = dice(&seed, 100); pauses > 0; pauses--)
        fut_thread_relax();
    }
    fut_deadline limit = fut_deadline_after(within(20));
    while (atomic_load(&shop->done) < atomic_load(&shop->given)) {
      if (fut_deadline_left(limit) == 0)
        abort();
      sched_yield();
    }
  }
}

static void share_out(void *context, unsigned index) {
  if (index < WORKERS)
    work(context, index);
  else
    give(context, index - WORKERS);
}

static void no_wake_up_lost(void **unused) {
  (void)unused;
  works shop;
  memset(&shop, 0, sizeof shop);
  shop.rounds = scaled(10000);
  fut_idle_init(&shop.idle, WORKERS);
  for (int i = 0; i < WORKERS; i++) {
    shop.sleepers[i].parker = fut_parker_new();
    fut_idle_wake(&shop.idle);
    fut_idle_found(&shop.idle);
  }
  for (int i = 0; i < WORKERS; i++)
    fut_idle_search(&shop.idle);
  crew workers;
  crew_start(&workers, WORKERS + GIVERS, share_out, &shop);
  for (int i = WORKERS; i < WORKERS + GIVERS; i++) /* the givers first */
    fut_thread_join(workers.members[i].thread);
  atomic_store(&shop.closed, true);
  fut_idle_wake_all(&shop.idle);
  workers.size = WORKERS;
  crew_join(&workers);
  assert_int_equal(atomic_load(&shop.done), atomic_load(&shop.given));
  for (int i = 0; i < WORKERS; i++)
    fut_parker_free(shop.sleepers[i].parker);
  fut_idle_fini(&shop.idle);
}

static void blocked(void **unused) {
  (void)unused;
  fut_idle idle;
  fut_idle_init(&idle, 1);
  fut_idle_add_spares(&idle, 2);
  assert_true(fut_idle_all_asleep(&idle));
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_START);
  assert_false(fut_idle_all_asleep(&idle));
  assert_true(fut_idle_found(&idle));
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_NOBODY); /* spares stay */
  assert_false(fut_idle_permitted(&idle));

  assert_true(fut_idle_block(&idle));
  assert_int_equal(fut_idle_blocked(&idle), 1);
  assert_true(fut_idle_permitted(&idle));
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_START);
  assert_true(fut_idle_found(&idle));
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_NOBODY); /* one for one */
  assert_true(fut_idle_block(&idle));
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_START);
  assert_true(fut_idle_found(&idle));
  assert_false(fut_idle_block(&idle)); /* it would be the last */
  assert_int_equal(fut_idle_blocked(&idle), 2);

  assert_false(fut_idle_surplus(&idle));
  fut_idle_unblock(&idle);
  assert_true(fut_idle_surplus(&idle));
  fut_idle_unblock(&idle);
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_NOBODY);
  fut_idle_fini(&idle);
}

static bool permitted(void *idle) { return fut_idle_permitted(idle); }

/* One too many sleeps, whatever there is to do, until it may be awake. */
static void surplus(void **unused) {
  (void)unused;
  fut_idle idle;
  fut_sleeper sleeper = {.parker = fut_parker_new()};
  fut_idle_init(&idle, 1);
  fut_idle_add_spares(&idle, 1);
  fut_idle_wake(&idle);
  fut_idle_found(&idle);
  fut_idle_block(&idle);
  assert_int_equal(fut_idle_wake(&idle), FUT_WAKE_START);
  fut_idle_unblock(&idle);
  assert_true(fut_idle_surplus(&idle));
  assert_false(fut_idle_sleep(&idle, &sleeper, permitted, &idle,
                              fut_deadline_after(0.001)));
  assert_true(fut_idle_surplus(&idle)); /* it is awake again */
  fut_idle_block(&idle);
  assert_false(fut_idle_surplus(&idle));
  assert_true(fut_idle_sleep(&idle, &sleeper, permitted, &idle, FUT_NEVER));
  fut_parker_free(sleeper.parker);
  fut_idle_fini(&idle);
}

static const struct CMUnitTest idle_tests[] = {
    CASE("a task starts a worker if nobody searches, up to all", started),
    CASE("the last one that stops searching is told so", the_last_one),
    CASE("a worker that was not started may be tried again", not_started),
    CASE("a worker does not sleep if its last look finds something", last_look),
    CASE("a sleep ends at its deadline", deadline),
    CASE("sleepers are woken one by one, before others are started",
         one_by_one),
    CASE("all sleepers can be woken", all_at_once),
    CASE("a sleeper goes in place of a worker that was not started",
         in_its_place),
    CASE("a blocked worker makes room for one more", blocked),
    CASE("a worker too many sleeps until it may be awake", surplus),
    CASE("no wake-up is lost, whoever comes and goes", no_wake_up_lost),
};

int main(void) { return cmocka_run_group_tests(idle_tests, NULL, NULL); }
