/* completions_test.c - a queue of futures that have ended */
#include "completions.h"

#include "support/cases.h"
#include "support/crew.h"
#include "support/promise.h"

#include <poll.h>

#define MANY 10

static fut_arena *arena;
static fut_waiter *waiter;
static fut_completions queue;
static fut_completion completions[MANY];
static fut_future *futures[MANY];

static int begin(void **unused) {
  (void)unused;
  arena = promise_arena();
  waiter = fut_waiter_new();
  fut_completions_init(&queue, waiter);
  for (int i = 0; i < MANY; i++)
    futures[i] = promise_new(arena);
  return 0;
}

static int end(void **unused) {
  (void)unused;
  fut_completions_fini(&queue);
  for (int i = 0; i < MANY; i++)
    fut_future_release(futures[i], arena);
  fut_waiter_release(waiter);
  fut_arena_close(arena);
  return 0;
}

static void add(int first, int last) {
  for (int i = first; i <= last; i++)
    fut_completions_add(&queue, &completions[i], futures[i]);
}

/* Whether the owner was woken since the last time. */
static bool woken(void) {
  return fut_waiter_sleep(waiter, FUT_POLL, NULL, NULL) == FUT_OK;
}

static void in_order(void **unused) {
  (void)unused;
  add(0, MANY - 1);
  assert_null(fut_completions_take(&queue));
  for (unsigned i = 0; i < MANY; i++) {
    fut_future_end(futures[3 * i % MANY], FUT_FINISHED);
    assert_int_equal(fut_completions_ready(&queue), i + 1);
  }
  for (unsigned i = 0; i < MANY; i++) {
    fut_completion *taken = fut_completions_take(&queue);
    assert_ptr_equal(taken, &completions[3 * i % MANY]);
    assert_ptr_equal(taken->future, futures[3 * i % MANY]);
  }
  assert_int_equal(fut_completions_ready(&queue), 0);
  assert_null(fut_completions_take(&queue));
}

static void ended_before(void **unused) {
  (void)unused;
  fut_future_cancel(futures[0]);
  fut_future_end(futures[1], FUT_FAILED);
  add(0, 2);
  assert_int_equal(fut_completions_ready(&queue), 2);
  assert_ptr_equal(fut_completions_take(&queue), &completions[0]);
  assert_ptr_equal(fut_completions_take(&queue), &completions[1]);
  assert_null(fut_completions_take(&queue));
  fut_completions_remove(&completions[2]);
}

static void removed(void **unused) {
  (void)unused;
  add(0, 5);
  fut_completions_remove(&completions[1]); /* before its end */
  for (int i = 0; i < 6; i++)
    fut_future_end(futures[i], FUT_FINISHED);
  fut_completions_remove(&completions[3]); /* from the middle */
  fut_completions_remove(&completions[0]); /* the first */
  fut_completions_remove(&completions[5]); /* the last */
  assert_int_equal(fut_completions_ready(&queue), 2);
  add(6, 6);
  fut_future_end(futures[6], FUT_FINISHED); /* what comes after is found */
  assert_ptr_equal(fut_completions_take(&queue), &completions[2]);
  fut_completions_remove(&completions[2]); /* once more, without effect */
  assert_ptr_equal(fut_completions_take(&queue), &completions[4]);
  assert_ptr_equal(fut_completions_take(&queue), &completions[6]);
  assert_null(fut_completions_take(&queue));
}

static void again(void **unused) {
  (void)unused;
  add(0, 0);
  fut_future_end(futures[0], FUT_FINISHED);
  fut_completions_remove(&completions[0]);
  add(0, 0);
  assert_ptr_equal(fut_completions_take(&queue), &completions[0]);
}

static void wanted(void **unused) {
  (void)unused;
  fut_completions_want(&queue, 3, false);
  add(0, 4);
  for (int i = 0; i < 2; i++) {
    fut_future_end(futures[i], i ? FUT_FAILED : FUT_FINISHED);
    assert_false(fut_completions_satisfied(&queue));
    assert_false(woken());
  }
  fut_future_end(futures[2], FUT_FINISHED);
  assert_true(fut_completions_satisfied(&queue));
  assert_true(woken());
  for (int i = 0; i < 3; i++)
    fut_completions_take(&queue);
  fut_completions_remove(&completions[3]);
  fut_completions_remove(&completions[4]);
}

static void first_failure(void **unused) {
  (void)unused;
  fut_completions_want(&queue, MANY, true);
  add(0, 3);
  fut_future_cancel(futures[0]);
  assert_false(fut_completions_satisfied(&queue));
  assert_false(woken());
  fut_future_end(futures[1], FUT_FAILED);
  assert_true(fut_completions_satisfied(&queue));
  assert_true(woken());
  fut_completions_take(&queue);
  fut_completions_take(&queue);
  assert_true(fut_completions_satisfied(&queue)); /* it has failed */
  fut_completions_remove(&completions[2]);
  fut_completions_remove(&completions[3]);
}

static void two_queues(void **unused) {
  (void)unused;
  fut_completions other;
  fut_completion second;
  fut_completions_init(&other, waiter);
  add(0, 0);
  fut_completions_add(&other, &second, futures[0]);
  fut_future_end(futures[0], FUT_FINISHED);
  assert_ptr_equal(fut_completions_take(&queue), &completions[0]);
  assert_ptr_equal(fut_completions_take(&other), &second);
  fut_completions_fini(&other);
}

static bool readable(const fut_notifier *notifier) {
  struct pollfd fd = {.fd = fut_notifier_descriptor(notifier),
                      .events = POLLIN};
  return poll(&fd, 1, 0) == 1;
}

static void notified(void **unused) {
  (void)unused;
  fut_notifier *notifier = fut_notifier_new();
  add(0, 3);
  fut_completions_notify(&queue, notifier, false);
  assert_false(readable(notifier));
  assert_null(fut_completions_take(&queue));
  fut_future_end(futures[0], FUT_FINISHED);
  assert_true(readable(notifier));
  fut_future_end(futures[1], FUT_FAILED);
  assert_non_null(fut_completions_take(&queue));
  assert_true(readable(notifier));
  assert_non_null(fut_completions_take(&queue));
  fut_future_end(futures[2], FUT_FINISHED); /* before it is found empty */
  assert_non_null(fut_completions_take(&queue));
  assert_null(fut_completions_take(&queue));
  assert_false(readable(notifier));
  fut_future_cancel(futures[3]);
  fut_notifier *second = fut_notifier_new();
  fut_completions_notify(&queue, second, false); /* something is there */
  assert_true(readable(second));
  assert_non_null(fut_completions_take(&queue));
  assert_null(fut_completions_take(&queue));
  assert_false(readable(second));
  fut_completions_notify(&queue, second, true);
  assert_true(readable(second));
  assert_null(fut_completions_take(&queue));
  assert_false(readable(second));
  fut_notifier_free(notifier);
  fut_notifier_free(second);
}

/* --- races ---------------------------------------------------------------- */

/* Members 1.. end futures; member 0 has each in a queue of its own that is
   gone as soon as it arrived, or is removed before. */
typedef struct relay {
  unsigned rounds;
  _Atomic(fut_future *) slots[3];
} relay;

static void end_those(relay *game, unsigned index) {
  for (unsigned i = 0; i < game->rounds; i++) {
    fut_future *future;
    while ((future = atomic_exchange(&game->slots[index], NULL)) == NULL)
      sched_yield();
    fut_future_end(future, i % 2 ? FUT_FINISHED : FUT_FAILED);
    fut_future_release(future, NULL);
  }
}

static void hand_over(_Atomic(fut_future *) *slot, fut_future *future) {
  while (atomic_load(slot))
    sched_yield();
  atomic_store(slot, future);
}

static void wait_for_those(relay *game) {
  fut_waiter *self = fut_waiter_new();
  fut_arena *own = promise_arena();
  unsigned seed = 1;
  for (unsigned i = 0; i < game->rounds; i++) {
    fut_completions *line = malloc(sizeof *line);
    fut_completion *places = malloc(3 * sizeof *places);
    fut_future *promises[3];
    fut_completions_init(line, self);
    for (int j = 0; j < 3; j++) {
      promises[j] = promise_new(own);
      fut_object_hold(&promises[j]->object);
      if (i % 2)
        hand_over(&game->slots[j], promises[j]);
      fut_completions_add(line, &places[j], promises[j]);
      if (i % 2 == 0)
        hand_over(&game->slots[j], promises[j]);
    }
    unsigned enough = dice(&seed, 4);
    fut_completions_want(line, enough, i % 3 == 0);
    while (!fut_completions_satisfied(line))
      fut_waiter_sleep(self, FUT_NEVER, NULL, NULL);
    unsigned taken = 0;
    while (fut_completions_ready(line) > 0 && fut_completions_take(line))
      taken++;
    for (int j = 0; j < 3; j++)
      fut_completions_remove(&places[j]);
    fut_completions_fini(line);
    free(line);
    free(places);
    for (int j = 0; j < 3; j++)
      fut_future_release(promises[j], own);
    if (i % 3 && taken < enough)
      abort();
  }
  fut_arena_close(own);
  fut_waiter_release(self);
}

static void run_relay(void *context, unsigned index) {
  if (index == 0)
    wait_for_those(context);
  else
    end_those(context, index - 1);
}

static void gone(void **unused) {
  (void)unused;
  relay game = {.rounds = scaled(10000)};
  crew_run(4, run_relay, &game);
}

/* Member 1 ends futures; member 0 takes them when the notifier says so. */
static void poll_for_those(relay *game) {
  fut_waiter *self = fut_waiter_new();
  fut_arena *own = promise_arena();
  fut_notifier *notifier = fut_notifier_new();
  fut_completions line;
  fut_completions_init(&line, self);
  fut_completions_notify(&line, notifier, false);
  struct pollfd fd = {.fd = fut_notifier_descriptor(notifier),
                      .events = POLLIN};
  for (unsigned i = 0; i < game->rounds; i++) {
    fut_completion place;
    fut_future *promise = promise_new(own);
    fut_object_hold(&promise->object);
    fut_completions_add(&line, &place, promise);
    hand_over(&game->slots[0], promise);
    if (i % 2)
      fut_completions_take(&line); /* at any moment, found or not */
    else if (poll(&fd, 1, (int)(within(20) * 1000)) != 1)
      abort();
    while (!fut_state_done(fut_future_state(promise)))
      sched_yield();
    fut_future_settle(promise);
    while (fut_completions_take(&line))
      ;
    if (poll(&fd, 1, 0) != 0)
      abort();
    fut_future_release(promise, own);
  }
  fut_completions_fini(&line);
  fut_notifier_free(notifier);
  fut_arena_close(own);
  fut_waiter_release(self);
}

static void run_poll(void *context, unsigned index) {
  if (index == 0)
    poll_for_those(context);
  else
    end_those(context, index - 1);
}

static void notified_across(void **unused) {
  (void)unused;
  relay game = {.rounds = scaled(10000)};
  crew_run(2, run_poll, &game);
}

#define QUEUE_CASE(sentence, function)                                         \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest completions_tests[] = {
    QUEUE_CASE("futures arrive in the order in which they end", in_order),
    QUEUE_CASE("one that has ended arrives at once", ended_before),
    QUEUE_CASE("one can be removed before and after it arrived", removed),
    QUEUE_CASE("one that was removed can be added again", again),
    QUEUE_CASE("the owner is woken when what it wants is there", wanted),
    QUEUE_CASE("the owner may be woken by the first failure", first_failure),
    QUEUE_CASE("a future may be in several queues", two_queues),
    QUEUE_CASE("the notifier is raised until nothing is found", notified),
    CASE("the queue may be gone as soon as the owner has enough", gone),
    CASE("a notifier is neither missed nor left raised", notified_across),
};

int main(void) { return cmocka_run_group_tests(completions_tests, NULL, NULL); }
