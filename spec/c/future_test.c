/* future_test.c - an outcome that is set once, and those who watch for it */
#include "future.h"

#include "support/cases.h"
#include "support/crew.h"
#include "support/ledger.h"
#include "support/promise.h"
#include "waiter.h"

#include <string.h>

static fut_arena *arena;

static int make_arena(void **unused) {
  (void)unused;
  arena = promise_arena();
  return arena ? 0 : -1;
}

static int close_arena(void **unused) {
  (void)unused;
  fut_arena_close(arena);
  return 0;
}

/* --- states --------------------------------------------------------------- */

static void steps(void **unused) {
  (void)unused;
  fut_future *future = promise_new(arena);
  assert_int_equal(fut_future_state(future), FUT_PENDING);
  assert_true(fut_future_start(future));
  assert_int_equal(fut_future_state(future), FUT_RUNNING);
  assert_false(fut_future_start(future));
  assert_false(fut_future_cancel(future));
  assert_int_equal(fut_future_state(future), FUT_RUNNING);
  assert_true(fut_future_end(future, FUT_FAILED));
  assert_int_equal(fut_future_state(future), FUT_FAILED);
  fut_future_release(future, arena);
}

static void asked(void **unused) {
  (void)unused;
  fut_future *future = promise_new(arena);
  assert_false(fut_future_ask(future)); /* it does not run */
  assert_false(fut_future_asked(future));
  assert_true(fut_future_start(future));
  assert_true(fut_future_ask(future));
  assert_true(fut_future_ask(future));
  assert_true(fut_future_asked(future));
  assert_int_equal(fut_future_state(future), FUT_RUNNING);
  assert_false(fut_future_end_unasked(future, FUT_FINISHED));
  assert_int_equal(fut_future_state(future), FUT_RUNNING);
  assert_true(fut_future_end(future, FUT_FINISHED));
  assert_false(fut_future_ask(future));
  assert_false(fut_future_abandoned(future));
  fut_future_release(future, arena);
  future = promise_new(arena);
  fut_future_start(future);
  assert_true(fut_future_end_unasked(future, FUT_FAILED));
  assert_false(fut_future_ask(future));
  fut_future_release(future, arena);
}

static void abandoned(void **unused) {
  (void)unused;
  const fut_state ends[] = {FUT_CANCELLED, FUT_FAILED};
  for (int i = 0; i < 2; i++) {
    fut_future *future = promise_new(arena);
    assert_false(fut_future_abandon(future, ends[i])); /* it does not run */
    fut_future_start(future);
    assert_true(fut_future_ask(future));
    assert_true(fut_future_abandon(future, ends[i]));
    assert_int_equal(fut_future_state(future), ends[i]);
    assert_true(fut_future_abandoned(future));
    assert_false(fut_future_end_unasked(future, FUT_FINISHED));
    assert_false(fut_future_end(future, FUT_FINISHED));
    assert_int_equal(fut_future_state(future), ends[i]);
    fut_future_release(future, arena);
  }
}

static void last_state(void **unused) {
  (void)unused;
  const fut_state ends[] = {FUT_CANCELLED, FUT_FINISHED, FUT_FAILED};
  for (int started = 0; started < 2; started++)
    for (int i = 0; i < 3; i++) {
      fut_future *future = promise_new(arena);
      if (started)
        fut_future_start(future);
      assert_false(fut_state_done(fut_future_state(future)));
      assert_true(fut_future_end(future, ends[i]));
      assert_true(fut_state_done(fut_future_state(future)));
      assert_false(fut_future_start(future));
      assert_false(fut_future_cancel(future));
      for (int j = 0; j < 3; j++)
        assert_false(fut_future_end(future, ends[j]));
      assert_int_equal(fut_future_state(future), ends[i]);
      fut_future_release(future, arena);
    }
}

static void cancelled(void **unused) {
  (void)unused;
  fut_future *future = promise_new(arena);
  assert_true(fut_future_cancel(future));
  assert_int_equal(fut_future_state(future), FUT_CANCELLED);
  assert_false(fut_future_cancel(future));
  fut_future_release(future, arena);
}

static void let_go(void **unused) {
  (void)unused;
  unsigned before = atomic_load(&promises_ended);
  fut_future *future = promise_new(arena);
  fut_object_hold(&future->object);
  fut_object_hold(&future->object);
  fut_future_release(future, NULL);
  fut_future_release(future, arena);
  assert_int_equal(atomic_load(&promises_ended), before);
  fut_object_release(&future->object);
  assert_int_equal(atomic_load(&promises_ended), before + 1);
}

/* --- watches -------------------------------------------------------------- */

typedef struct watcher {
  fut_watch watch;
  unsigned times; /* how often told; guarded by the arena's lock */
  fut_state state;
  unsigned place; /* among all watchers told */
  fut_waiter *waiter;
} watcher;

static unsigned places; /* guarded by the arena's lock */

static fut_waiter *told(fut_watch *watch, fut_state state) {
  watcher *self = (watcher *)watch;
  self->times++;
  self->state = state;
  self->place = places++;
  if (self->waiter)
    fut_object_hold(&self->waiter->object);
  return self->waiter;
}

static void watcher_init(watcher *self) {
  memset(self, 0, sizeof *self);
  self->watch.told = told;
}

static void told_once(void **unused) {
  (void)unused;
  const fut_state ends[] = {FUT_CANCELLED, FUT_FINISHED, FUT_FAILED};
  for (int i = 0; i < 3; i++) {
    fut_future *future = promise_new(arena);
    watcher watchers[3];
    for (int j = 0; j < 3; j++) {
      watcher_init(&watchers[j]);
      assert_true(fut_future_watch(future, &watchers[j].watch));
      if (j == 1)
        fut_future_start(future); /* half of them watch before it starts */
    }
    assert_int_equal(fut_future_state(future), FUT_RUNNING);
    assert_true(fut_future_end(future, ends[i]));
    assert_false(fut_future_end(future, ends[2 - i]));
    fut_future_settle(future);
    for (int j = 0; j < 3; j++) {
      assert_int_equal(watchers[j].times, 1);
      assert_int_equal(watchers[j].state, ends[i]);
      assert_false(fut_future_unwatch(future, &watchers[j].watch));
    }
    fut_future_release(future, arena);
  }
}

static void too_late(void **unused) {
  (void)unused;
  for (int watched = 0; watched < 2; watched++) {
    fut_future *future = promise_new(arena);
    watcher early, late;
    watcher_init(&early);
    watcher_init(&late);
    if (watched)
      fut_future_watch(future, &early.watch);
    fut_future_cancel(future);
    assert_false(fut_future_watch(future, &late.watch));
    fut_future_settle(future);
    assert_int_equal(early.times, watched);
    assert_int_equal(late.times, 0);
    fut_future_release(future, arena);
  }
}

static void given_up(void **unused) {
  (void)unused;
  fut_future *future = promise_new(arena);
  watcher watchers[5];
  for (int i = 0; i < 5; i++) {
    watcher_init(&watchers[i]);
    fut_future_watch(future, &watchers[i].watch);
  }
  /* last, first and middle of the list */
  assert_true(fut_future_unwatch(future, &watchers[0].watch));
  assert_true(fut_future_unwatch(future, &watchers[4].watch));
  assert_true(fut_future_unwatch(future, &watchers[2].watch));
  fut_future_end(future, FUT_FINISHED);
  for (int i = 0; i < 5; i++)
    assert_int_equal(watchers[i].times, i % 2);
  fut_future_release(future, arena);

  future = promise_new(arena);
  watcher_init(&watchers[0]);
  fut_future_watch(future, &watchers[0].watch);
  fut_future_unwatch(future, &watchers[0].watch);
  fut_future_release(future, arena); /* and may go without an end */
}

static void in_order(void **unused) {
  (void)unused;
  fut_future *futures[20];
  watcher watchers[20];
  for (int i = 0; i < 20; i++) {
    futures[i] = promise_new(arena);
    watcher_init(&watchers[i]);
    fut_future_watch(futures[i], &watchers[i].watch);
  }
  places = 0;
  for (unsigned i = 0; i < 20; i++)
    fut_future_end(futures[(7 * i) % 20], FUT_FINISHED);
  for (unsigned i = 0; i < 20; i++) {
    assert_int_equal(watchers[(7 * i) % 20].place, i);
    fut_future_release(futures[i], arena);
  }
}

static void all_woken(void **unused) {
  (void)unused;
  fut_future *future = promise_new(arena);
  watcher watchers[30];
  for (int i = 0; i < 30; i++) {
    watcher_init(&watchers[i]);
    watchers[i].waiter = fut_waiter_new();
    fut_future_watch(future, &watchers[i].watch);
  }
  fut_future_end(future, FUT_FINISHED);
  for (int i = 0; i < 30; i++) {
    assert_int_equal(fut_waiter_sleep(watchers[i].waiter, FUT_POLL, NULL, NULL),
                     FUT_OK);
    fut_waiter_release(watchers[i].waiter);
  }
  fut_future_release(future, arena);
}

/* --- races ---------------------------------------------------------------- */

#define RACE_SIZE 500 /* futures that the threads of one crew run through */

typedef struct race {
  fut_future *futures[RACE_SIZE];
  watcher watchers[RACE_SIZE];
  atomic_uint wins[RACE_SIZE];
  unsigned outcome[RACE_SIZE]; /* written before the end, not atomic */
  unsigned unwatched;
} race;

static race *race_new(void) {
  race *game = calloc(1, sizeof *game);
  for (int i = 0; i < RACE_SIZE; i++) {
    game->futures[i] = promise_new(arena);
    watcher_init(&game->watchers[i]);
  }
  return game;
}

static void race_free(race *game) {
  for (int i = 0; i < RACE_SIZE; i++)
    fut_future_release(game->futures[i], arena);
  free(game);
}

static void start_or_cancel(void *context, unsigned index) {
  race *game = context;
  for (int i = 0; i < RACE_SIZE; i++) {
    bool won = index == 0 ? fut_future_start(game->futures[i])
                          : fut_future_cancel(game->futures[i]);
    if (won)
      atomic_fetch_add(&game->wins[i], 1 + index * 100);
  }
}

static void one_wins(void **unused) {
  (void)unused;
  for (unsigned round = scaled(100000) / RACE_SIZE + 1; round > 0; round--) {
    race *game = race_new();
    crew_run(3, start_or_cancel, game);
    for (int i = 0; i < RACE_SIZE; i++) {
      unsigned wins = atomic_load(&game->wins[i]);
      assert_true(wins == 1 || wins == 101 || wins == 201);
      assert_int_equal(fut_future_state(game->futures[i]),
                       wins == 1 ? FUT_RUNNING : FUT_CANCELLED);
    }
    race_free(game);
  }
}

/* Member 0 ends, 1 watches and gives up, 2 watches until told, 3 looks. */
static void end_and_watch(void *context, unsigned index) {
  race *game = context;
  unsigned seed = index;
  for (int i = 0; i < RACE_SIZE; i++) {
    fut_future *future = game->futures[i];
    watcher local;
    watcher_init(&local);
    if (index == 0) {
      game->outcome[i] = 7;
      for (unsigned n = dice(&seed, 30); n > 0; n--)
        fut_thread_relax();
      atomic_fetch_add(&game->wins[i], fut_future_end(future, FUT_FINISHED));
    } else if (index == 1) {
      bool registered = fut_future_watch(future, &local.watch);
      for (unsigned n = dice(&seed, 30); registered && n > 0; n--)
        fut_thread_relax();
      bool early = registered && fut_future_unwatch(future, &local.watch);
      if (local.times != (registered && !early))
        atomic_fetch_add(&game->wins[i], 1000);
      game->unwatched += early;
    } else if (index == 2) {
      if (!fut_future_watch(future, &game->watchers[i].watch))
        game->watchers[i].times = 1;
    } else if (fut_state_done(fut_future_state(future))) {
      if (game->outcome[i] != 7)
        atomic_fetch_add(&game->wins[i], 1000);
    }
  }
}

static void watched(void **unused) {
  (void)unused;
  for (unsigned round = scaled(150); round > 0; round--) {
    race *game = race_new();
    crew_run(4, end_and_watch, game);
    for (int i = 0; i < RACE_SIZE; i++) {
      assert_int_equal(atomic_load(&game->wins[i]), 1);
      assert_int_equal(game->watchers[i].times, 1);
    }
    race_free(game);
  }
}

static fut_waiter *told_slowly(fut_watch *watch, fut_state state) {
  for (int i = 0; i < 50; i++)
    fut_thread_relax();
  return told(watch, state);
}

/* Two threads try to end it; whoever sees it done and settles finds the
   watcher told. */
static void end_and_settle(void *context, unsigned index) {
  race *game = context;
  for (int i = 0; i < RACE_SIZE; i++) {
    fut_future *future = game->futures[i];
    if (index < 2) {
      atomic_fetch_add(&game->wins[i], fut_future_cancel(future));
      continue;
    }
    while (!fut_state_done(fut_future_state(future)))
      sched_yield();
    fut_future_settle(future);
    if (game->watchers[i].times != 1)
      atomic_fetch_add(&game->wins[i], 1000);
  }
}

static void settled(void **unused) {
  (void)unused;
  for (unsigned round = scaled(50); round > 0; round--) {
    race *game = race_new();
    for (int i = 0; i < RACE_SIZE; i++) {
      game->watchers[i].watch.told = told_slowly;
      fut_future_watch(game->futures[i], &game->watchers[i].watch);
    }
    crew_run(3, end_and_settle, game);
    for (int i = 0; i < RACE_SIZE; i++)
      assert_int_equal(atomic_load(&game->wins[i]), 1);
    race_free(game);
  }
}

/* Everyone lets go of their reference, the owner of the arena closes it. */
static void hand_out(void *context, unsigned index) {
  race *game = context;
  for (int i = 0; i < RACE_SIZE; i++) {
    if (index == 1)
      fut_future_end(game->futures[i], FUT_FINISHED);
    fut_future_release(game->futures[i], NULL);
  }
}

static void freed(void **unused) {
  (void)unused;
  fut_arena *before = arena;
  for (unsigned round = scaled(100); round > 0; round--) {
    ledger book;
    ledger_open(&book);
    arena = promise_arena();
    atomic_store(&promises_ended, 0);
    race *game = race_new();
    for (int i = 0; i < RACE_SIZE; i++)
      fut_object_hold(&game->futures[i]->object);
    crew holders;
    crew_start(&holders, 2, hand_out, game);
    fut_arena_close(arena);
    crew_join(&holders);
    free(game);
    assert_int_equal(atomic_load(&promises_ended), RACE_SIZE);
    assert_int_equal(ledger_close(&book), 0);
  }
  arena = before;
}

static const struct CMUnitTest future_tests[] = {
    CASE("a running future can be asked to end early", asked),
    CASE("a future can be ended while its task goes on", abandoned),
    CASE("a future runs once it was started, and then ends", steps),
    CASE("the first end is the last state", last_state),
    CASE("what is pending can be cancelled, once", cancelled),
    CASE("the last reference lets go of what it holds", let_go),
    CASE("whoever watches is told once, with the state", told_once),
    CASE("who comes too late is not told", too_late),
    CASE("who gives up is not told", given_up),
    CASE("futures are told in the order in which they end", in_order),
    CASE("every waiter is woken, however many there are", all_woken),
    CASE("of start and cancel exactly one wins", one_wins),
    CASE("watching, giving up and the end may come at once", watched),
    CASE("who sees it done and settles finds everyone told", settled),
    CASE("the arena may be closed while others hold its futures", freed),
};

int main(void) {
  return cmocka_run_group_tests(future_tests, make_arena, close_arena);
}
