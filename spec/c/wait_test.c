/* wait_test.c - blocking until futures have ended, and what else ends a wait */
#include "wait.h"

#include "support/alarm.h"
#include "support/await.h"
#include "support/cases.h"
#include "support/crew.h"
#include "support/promise.h"

static fut_arena *arena;
static fut_spin spin;
static fut_wait wait;
static fut_future *future;

static int begin(void **unused) {
  (void)unused;
  arena = promise_arena();
  fut_spin_init(&spin);
  wait = (fut_wait){.waiter = fut_waiter_new(),
                    .spin = &spin,
                    .deadline = fut_deadline_after(within(20))};
  future = promise_new(arena);
  return 0;
}

static int end(void **unused) {
  (void)unused;
  fut_waiter_release(wait.waiter);
  fut_future_release(future, arena);
  fut_arena_close(arena);
  return fut_waiter_any() ? -1 : 0; /* whoever entered has left */
}

static bool yes(void *context) {
  (void)context;
  return true;
}

static void at_once(void **unused) {
  (void)unused;
  fut_future_end(future, FUT_FINISHED);
  wait.deadline = FUT_POLL;
  wait.attention = yes;
  assert_int_equal(fut_wait_future(&wait, future), FUT_OK);
  wait.deadline = FUT_NEVER;
  assert_int_equal(fut_wait_future(&wait, future), FUT_OK);
}

static void deadline(void **unused) {
  (void)unused;
  wait.deadline = FUT_POLL;
  assert_int_equal(fut_wait_future(&wait, future), FUT_ETIMEDOUT);
  wait.deadline = 1; /* long ago */
  assert_int_equal(fut_wait_future(&wait, future), FUT_ETIMEDOUT);
  fut_deadline before = fut_clock_now();
  wait.deadline = fut_deadline_after(0.02);
  assert_int_equal(fut_wait_future(&wait, future), FUT_ETIMEDOUT);
  int64_t took = fut_clock_now() - before;
  assert_true(took >= 20000000);
  assert_true((double)took < within(2) * 1e9);
}

/* What a thread does a little later than another. */
typedef struct order {
  double after;
  void (*act)(struct order *self);
  pthread_t thread;
  fut_future *target;
} order;

static void carry_out(void *context, unsigned index) {
  order *self = (order *)context + index;
  if (self->after > 0)
    pause_for(self->after);
  self->act(self);
}

static void act_end(order *self) { fut_future_end(self->target, FUT_FINISHED); }

static void act_signal(order *self) { alarm_send(self->thread); }

static void ended_by_others(void **unused) {
  (void)unused;
  const double after[] = {0, 0.0001, 0.002, 0.12};
  for (int i = 0; i < 4; i++) {
    order first = {after[i], act_end, pthread_self(), promise_new(arena)};
    crew ender;
    crew_start(&ender, 1, carry_out, &first);
    assert_int_equal(fut_wait_future(&wait, first.target), FUT_OK);
    crew_join(&ender);
    fut_future_release(first.target, arena);
  }
}

static void attention(void **unused) {
  (void)unused;
  wait.attention = yes;
  assert_int_equal(fut_wait_future(&wait, future), FUT_EINTR);
}

static void signalled(void **unused) {
  (void)unused;
  const double after[] = {0, 0.0001, 0.01, 0.13};
  wait.attention = alarm_rang;
  for (int i = 0; i < 8; i++) {
    alarm_install(i % 2);
    order call = {after[i / 2], act_signal, pthread_self(), NULL};
    crew caller;
    crew_start(&caller, 1, carry_out, &call);
    assert_int_equal(fut_wait_future(&wait, future), FUT_EINTR);
    crew_join(&caller);
  }
}

static void unheeded(void **unused) {
  (void)unused;
  alarm_install(false);
  order calls[] = {{0.001, act_signal, pthread_self(), NULL},
                   {0.01, act_end, pthread_self(), future}};
  crew callers;
  crew_start(&callers, 2, carry_out, calls);
  assert_int_equal(fut_wait_future(&wait, future), FUT_OK);
  crew_join(&callers);
  assert_int_equal(atomic_load(&alarms), 1);
}

static void callbacks(void **unused) {
  (void)unused;
  fut_completions due;
  fut_completion one;
  fut_completions_init(&due, wait.waiter);
  wait.callbacks = &due;
  for (int i = 0; i < 2; i++) {
    order first = {0.005, act_end, pthread_self(), promise_new(arena)};
    fut_completions_add(&due, &one, first.target);
    crew ender;
    crew_start(&ender, 1, carry_out, &first);
    assert_int_equal(i ? fut_wait_callbacks(&wait)
                       : fut_wait_future(&wait, future),
                     FUT_EAGAIN);
    wait.deadline = FUT_POLL; /* still due */
    assert_int_equal(fut_wait_callbacks(&wait), FUT_EAGAIN);
    assert_int_equal(fut_wait_future(&wait, future), FUT_EAGAIN);
    assert_int_equal(fut_wait_future(&wait, first.target), FUT_OK);
    wait.deadline = fut_deadline_after(within(20));
    assert_ptr_equal(fut_completions_take(&due), &one);
    crew_join(&ender);
    fut_future_release(first.target, arena);
  }
  wait.deadline = fut_deadline_after(0.001);
  assert_int_equal(fut_wait_callbacks(&wait), FUT_ETIMEDOUT);
  fut_completions_fini(&due);
}

#define FEW 5

static void several(void **unused) {
  (void)unused;
  for (unsigned wanted = 0; wanted <= FEW; wanted++) {
    fut_completions queue;
    fut_completion completions[FEW];
    order orders[FEW];
    fut_completions_init(&queue, wait.waiter);
    fut_completions_want(&queue, wanted, false);
    for (int i = 0; i < FEW; i++) {
      orders[i] = (order){0, act_end, pthread_self(), promise_new(arena)};
      fut_completions_add(&queue, &completions[i], orders[i].target);
    }
    crew enders;
    crew_start(&enders, wanted ? wanted : 1, carry_out, orders);
    assert_int_equal(fut_wait_completions(&wait, &queue), FUT_OK);
    assert_true(fut_completions_ready(&queue) >= wanted);
    crew_join(&enders);
    for (int i = 0; i < FEW; i++) {
      fut_completions_remove(&completions[i]);
      fut_future_release(orders[i].target, arena);
    }
    fut_completions_fini(&queue);
  }
}

static void several_deadline(void **unused) {
  (void)unused;
  fut_completions queue;
  fut_completion one;
  fut_completions_init(&queue, wait.waiter);
  fut_completions_add(&queue, &one, future);
  wait.deadline = FUT_POLL;
  assert_int_equal(fut_wait_completions(&wait, &queue), FUT_ETIMEDOUT);
  wait.deadline = fut_deadline_after(0.005);
  assert_int_equal(fut_wait_completions(&wait, &queue), FUT_ETIMEDOUT);
  fut_future_cancel(future);
  wait.deadline = FUT_POLL;
  assert_int_equal(fut_wait_completions(&wait, &queue), FUT_OK);
  fut_completions_take(&queue);
  fut_completions_fini(&queue);
}

static bool somebody_waits(void *context) {
  (void)context;
  return fut_waiter_any();
}

static void end_when_waited_for(void *context, unsigned index) {
  (void)index;
  if (!eventually(somebody_waits, NULL))
    abort();
  fut_future_end(context, FUT_FINISHED);
}

static void known(void **unused) {
  (void)unused;
  assert_false(fut_waiter_any());
  crew ender;
  crew_start(&ender, 1, end_when_waited_for, future);
  assert_int_equal(fut_wait_future(&wait, future), FUT_OK);
  crew_join(&ender);
  assert_false(fut_waiter_any());
}

/* --- races ---------------------------------------------------------------- */

/* Member 0 owns and ends, the others wait: one for long, one again and again
   for a moment. */
typedef struct assembly {
  unsigned rounds;
  _Atomic(fut_future *) target;
  atomic_uint round;   /* atomic: how many targets there have been */
  atomic_uint waiting; /* atomic: who began to wait, in all rounds */
  atomic_uint left;    /* atomic: who is done, in all rounds */
} assembly;

static void lead(assembly *game) {
  fut_arena *own = promise_arena();
  unsigned seed = 1;
  for (unsigned i = 1; i <= game->rounds; i++) {
    fut_future *promise = promise_new(own);
    for (int j = 0; j < 2; j++)
      fut_object_hold(&promise->object);
    atomic_store(&game->target, promise);
    atomic_store(&game->round, i);
    while (atomic_load(&game->waiting) < 2 * i)
      sched_yield();
    for (unsigned n = dice(&seed, 600); n > 0; n--)
      fut_thread_relax();
    fut_future_end(promise, FUT_FINISHED);
    fut_future_release(promise, own);
    while (atomic_load(&game->left) < 2 * i)
      sched_yield();
  }
  fut_arena_close(own);
}

static void follow(assembly *game, unsigned index) {
  fut_spin own_spin;
  fut_spin_init(&own_spin);
  fut_wait own = {.waiter = fut_waiter_new(), .spin = &own_spin};
  unsigned seed = index;
  for (unsigned i = 1; i <= game->rounds; i++) {
    while (atomic_load(&game->round) < i)
      sched_yield();
    fut_future *promise = atomic_load(&game->target);
    atomic_fetch_add(&game->waiting, 1);
    fut_err err;
    do {
      double limit = index == 1 ? within(20) : dice(&seed, 50) * 1e-6;
      own.deadline = fut_deadline_after(limit);
      err = fut_wait_future(&own, promise);
    } while (index > 1 && err == FUT_ETIMEDOUT);
    if (err != FUT_OK || fut_future_state(promise) != FUT_FINISHED)
      abort();
    fut_future_release(promise, NULL);
    atomic_fetch_add(&game->left, 1);
  }
  fut_waiter_release(own.waiter);
}

static void assemble(void *context, unsigned index) {
  if (index == 0)
    lead(context);
  else
    follow(context, index);
}

static void many(void **unused) {
  (void)unused;
  assembly game = {.rounds = scaled(5000)};
  crew_run(3, assemble, &game);
}

#define WAIT_CASE(sentence, function)                                          \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest wait_tests[] = {
    WAIT_CASE("what has ended comes first, even for a poll", at_once),
    WAIT_CASE("a wait ends at its deadline", deadline),
    WAIT_CASE("the end of the future ends the wait", ended_by_others),
    WAIT_CASE("a wait does not sleep when attention says so", attention),
    WAIT_CASE("a signal ends a wait, whenever it comes", signalled),
    WAIT_CASE("a signal that concerns nobody does not end it", unheeded),
    WAIT_CASE("callbacks that are due end a wait", callbacks),
    WAIT_CASE("a wait for several ends with as many as wanted", several),
    WAIT_CASE("a wait for several ends at its deadline", several_deadline),
    WAIT_CASE("while somebody waits, that is known", known),
    CASE("the end wakes all who wait, with and without a limit", many),
};

int main(void) { return cmocka_run_group_tests(wait_tests, NULL, NULL); }
