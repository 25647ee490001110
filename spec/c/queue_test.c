/* queue_test.c - where tasks wait until a worker takes them */
#include "queue.h"

#include "support/cases.h"
#include "support/crew.h"
#include "support/job.h"
#include "support/ledger.h"

static fut_arena *arena;
static fut_queue *queue;
static fut_link link;

static int begin(void **unused) {
  (void)unused;
  arena = job_arena();
  queue = fut_queue_new();
  fut_link_init(&link);
  return 0;
}

static int end(void **unused) {
  (void)unused;
  fut_queue_free(queue);
  fut_arena_close(arena);
  return 0;
}

static void push(unsigned number, double priority) {
  job *task = job_new(arena, NULL, NULL);
  task->number = number;
  task->task.priority = priority;
  assert_true(fut_queue_push(queue, &task->task));
}

/* Return the number of a task and let go of it; 0 for none. */
static unsigned number(fut_task *task) {
  if (task == NULL)
    return 0;
  unsigned result = ((job *)task)->number;
  job_release((job *)task);
  return result;
}

static unsigned taken_from(fut_link *from) {
  uint64_t ticket;
  if (!fut_link_take(from, &ticket))
    return 0;
  return number((fut_task *)(uintptr_t)ticket);
}

#define ALONE 1000000u /* a share so small that nothing is taken ahead */

static void in_order(void **unused) {
  (void)unused;
  assert_null(fut_queue_pull(queue, &link, 1));
  unsigned pushed = 0, pulled = 0;
  for (unsigned batch = 1; batch < 40; batch++) {
    for (unsigned i = 0; i < batch; i++)
      push(++pushed, 0);
    assert_int_equal(fut_queue_count(queue), pushed - pulled);
    for (unsigned i = 0; i < batch / 2; i++)
      assert_int_equal(number(fut_queue_pull(queue, &link, ALONE)), ++pulled);
  }
  while (pulled < pushed)
    assert_int_equal(number(fut_queue_pull(queue, &link, ALONE)), ++pulled);
  assert_int_equal(fut_queue_count(queue), 0);
  assert_int_equal(fut_link_count(&link), 0);
}

static void by_priority(void **unused) {
  (void)unused;
  const double priorities[] = {0, -1, 2, 0, 5, -7, 2};
  for (unsigned i = 0; i < 7; i++)
    push(i + 1, priorities[i]);
  assert_true(fut_queue_urgent(queue));
  const unsigned expected[] = {5, 3, 7, 1, 4};
  for (int i = 0; i < 5; i++) {
    assert_null(fut_queue_pull_low(queue));
    assert_int_equal(number(fut_queue_pull(queue, &link, ALONE)), expected[i]);
    assert_int_equal(fut_queue_urgent(queue), i < 2);
  }
  assert_null(fut_queue_pull(queue, &link, ALONE));
  assert_int_equal(fut_queue_count(queue), 2);
  assert_int_equal(number(fut_queue_pull_low(queue)), 2);
  assert_int_equal(number(fut_queue_pull_low(queue)), 6);
  assert_null(fut_queue_pull_low(queue));
}

static void urgent_only(void **unused) {
  (void)unused;
  assert_null(fut_queue_pull_urgent(queue));
  push(1, 0);
  push(2, -1);
  assert_false(fut_queue_urgent(queue));
  assert_null(fut_queue_pull_urgent(queue));
  push(3, 1e-9);
  push(4, 1);
  assert_true(fut_queue_urgent(queue));
  assert_int_equal(number(fut_queue_pull_urgent(queue)), 4);
  assert_int_equal(number(fut_queue_pull_urgent(queue)), 3);
  assert_false(fut_queue_urgent(queue));
  assert_null(fut_queue_pull_urgent(queue));
  number(fut_queue_pull(queue, &link, ALONE));
  number(fut_queue_pull_low(queue));
}

static void shares(void **unused) {
  (void)unused;
  for (unsigned i = 1; i <= 40; i++)
    push(i, 0);
  assert_int_equal(number(fut_queue_pull(queue, &link, 4)), 1);
  assert_int_equal(fut_link_count(&link), 9); /* a quarter, with the first */
  assert_int_equal(fut_queue_count(queue), 30);
  for (unsigned i = 2; i <= 10; i++)
    assert_int_equal(taken_from(&link), i);
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 11);
  assert_int_equal(fut_link_count(&link), 29);
  assert_int_equal(fut_queue_count(queue), 0);
  for (unsigned i = 12; i <= 40; i++)
    assert_int_equal(taken_from(&link), i);
}

static void no_more_than_fits(void **unused) {
  (void)unused;
  for (unsigned i = 1; i <= 200; i++)
    push(i, 0);
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 1);
  assert_int_equal(fut_link_count(&link), FUT_LINK_SIZE);
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 66);
  for (unsigned i = 2; i <= 65; i++)
    assert_int_equal(taken_from(&link), i);
  for (unsigned i = 67; i <= 200; i++)
    assert_int_equal(number(fut_queue_pull(queue, &link, ALONE)), i);
}

static void plain_ones_ahead(void **unused) {
  (void)unused;
  push(1, 1);
  push(2, -1);
  for (unsigned i = 3; i <= 10; i++)
    push(i, 0);
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 1);
  assert_int_equal(fut_link_count(&link), 0); /* none behind an urgent one */
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 3);
  assert_int_equal(fut_link_count(&link), 7); /* and no low one */
  for (unsigned i = 4; i <= 10; i++)
    assert_int_equal(taken_from(&link), i);
  assert_int_equal(number(fut_queue_pull_low(queue)), 2);
}

/* Put a task back, as one pushed so early. */
static void push_front(unsigned number_, double priority, uint64_t order) {
  job *task = job_new(arena, NULL, NULL);
  task->number = number_;
  task->task.priority = priority;
  task->task.order = order;
  fut_queue_push_front(queue, &task->task);
}

static void in_front(void **unused) {
  (void)unused;
  push_front(1, 0, 0);
  assert_int_equal(fut_queue_count(queue), 1);
  assert_int_equal(number(fut_queue_pull(queue, &link, ALONE)), 1);
  const double priorities[] = {0, 3, -2};
  for (unsigned i = 0; i < 3; i++) {
    push(10 * i + 2, priorities[i]);
    push(10 * i + 3, priorities[i]);
  }
  fut_queue_close(queue);
  for (unsigned i = 0; i < 3; i++)
    push_front(10 * i + 1, priorities[i], 0);
  assert_int_equal(fut_queue_count(queue), 9);
  for (unsigned i = 11; i <= 13; i++)
    assert_int_equal(number(fut_queue_pull_urgent(queue)), i);
  assert_false(fut_queue_urgent(queue));
  for (unsigned i = 1; i <= 3; i++)
    assert_int_equal(number(fut_queue_pull(queue, &link, ALONE)), i);
  for (unsigned i = 21; i <= 23; i++)
    assert_int_equal(number(fut_queue_pull_low(queue)), i);
  assert_int_equal(fut_queue_count(queue), 0);
}

static void push_many(unsigned number_) {
  job *task = job_new(arena, NULL, NULL);
  task->number = number_;
  task->task.many = true;
  assert_true(fut_queue_push(queue, &task->task));
}

static void many_stay(void **unused) {
  (void)unused;
  push(1, 0);
  push(2, 0);
  push_many(3);
  push(4, 0);
  push(5, 0);
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 1);
  assert_int_equal(fut_link_count(&link), 1);
  assert_int_equal(taken_from(&link), 2);
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 3);
  assert_int_equal(fut_link_count(&link), 0);
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 4);
  assert_int_equal(taken_from(&link), 5);
}

static void closed(void **unused) {
  (void)unused;
  push(1, 0);
  assert_false(fut_queue_closed(queue));
  fut_queue_close(queue);
  fut_queue_close(queue);
  assert_true(fut_queue_closed(queue));
  job *task = job_new(arena, NULL, NULL);
  assert_false(fut_queue_push(queue, &task->task));
  job_release(task); /* still ours */
  assert_int_equal(fut_queue_count(queue), 1);
  assert_int_equal(number(fut_queue_pull(queue, &link, 1)), 1);
}

static void no_memory(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  ledger_allow(&book, 0);
  assert_null(fut_queue_new());
  assert_int_equal(ledger_close(&book), 0);
}

/* --- races ---------------------------------------------------------------- */

#define PUSHERS 3
#define PULLERS 3

typedef struct market {
  unsigned tasks;                  /* for each pusher */
  atomic_uchar *taken[PUSHERS];    /* how often each task was taken */
  fut_link links[PULLERS];         /* of the pullers */
  atomic_uint pushing;             /* how many still push */
  atomic_uint disorder, left_over; /* what was wrong */
} market;

static void push_all(market *game, unsigned index) {
  fut_arena *own = job_arena();
  unsigned seed = index;
  for (unsigned i = 0; i < game->tasks; i++) {
    job *task = job_new(own, NULL, game->taken[index]);
    task->number = i * PUSHERS + index;
    task->task.priority = (double)dice(&seed, 20) / 10 - 0.9;
    if (dice(&seed, 2))
      task->task.priority = 0;
    fut_queue_push(queue, &task->task);
  }
  fut_arena_close(own);
  atomic_fetch_sub(&game->pushing, 1);
}

static void pull_all(market *game, unsigned index) {
  unsigned latest[PUSHERS] = {0}; /* plain tasks rise, seen by one puller */
  unsigned seed = index;
  for (;;) {
    bool over = atomic_load(&game->pushing) == 0;
    fut_task *task = dice(&seed, 8) == 0 ? fut_queue_pull_urgent(queue) : NULL;
    if (task == NULL)
      task = fut_queue_pull(queue, &game->links[index], 1 + dice(&seed, 8));
    if (task == NULL)
      task = fut_queue_pull_low(queue);
    if (task == NULL && over && fut_queue_count(queue) == 0)
      return;
    while (task) {
      job *self = (job *)task;
      unsigned from = self->number % PUSHERS, i = self->number / PUSHERS;
      atomic_fetch_add(&game->taken[from][i], 1);
      if (task->priority == 0) {
        if (i < latest[from])
          atomic_fetch_add(&game->disorder, 1);
        latest[from] = i;
      }
      fut_future_release(&task->future, NULL);
      uint64_t ticket;
      task = fut_link_take(&game->links[index], &ticket)
                 ? (fut_task *)(uintptr_t)ticket
                 : NULL;
    }
  }
}

static void trade(void *context, unsigned index) {
  if (index < PUSHERS)
    push_all(context, index);
  else
    pull_all(context, index - PUSHERS);
}

static void exactly_once(void **unused) {
  (void)unused;
  market game = {.tasks = scaled(60000)};
  atomic_init(&game.pushing, PUSHERS);
  for (int i = 0; i < PUSHERS; i++)
    game.taken[i] = calloc(game.tasks, sizeof *game.taken[i]);
  for (int i = 0; i < PULLERS; i++)
    fut_link_init(&game.links[i]);
  crew_run(PUSHERS + PULLERS, trade, &game);
  for (int i = 0; i < PUSHERS; i++) {
    for (unsigned j = 0; j < game.tasks; j++)
      assert_int_equal(atomic_load(&game.taken[i][j]), 1);
    free(game.taken[i]);
  }
  assert_int_equal(atomic_load(&game.disorder), 0);
  assert_int_equal(fut_queue_count(queue), 0);
  assert_false(fut_queue_urgent(queue));
}

/* Member 0 moves tasks from the queue into the link, member 1 looks. */
typedef struct watch {
  atomic_uint round; /* atomic: even before a round, odd while it runs */
  atomic_uint seen;  /* atomic: the smallest sum seen in all rounds */
} watch;

#define BATCH 30

static void look(watch *game, unsigned rounds) {
  for (;;) {
    unsigned round = atomic_load(&game->round);
    if (round >= 2 * rounds)
      return;
    size_t sum = fut_queue_count(queue); /* in the order of the pool */
    sum += fut_link_count(&link);
    if (round % 2 && atomic_load(&game->round) == round &&
        sum < atomic_load(&game->seen))
      atomic_store(&game->seen, (unsigned)sum);
  }
}

static void in_sight(void *context, unsigned index) {
  unsigned rounds = scaled(10000);
  watch *game = context;
  if (index == 1) {
    look(game, rounds);
    return;
  }
  for (unsigned i = 0; i < rounds; i++) {
    for (unsigned j = 0; j < BATCH; j++)
      fut_queue_push(queue, &job_new(arena, NULL, NULL)->task);
    atomic_fetch_add(&game->round, 1);
    fut_task *task = fut_queue_pull(queue, &link, 1);
    atomic_fetch_add(&game->round, 1);
    number(task);
    while (fut_link_count(&link) > 0)
      taken_from(&link);
  }
}

static void always_in_sight(void **unused) {
  (void)unused;
  watch game = {.seen = BATCH};
  atomic_init(&game.seen, BATCH);
  crew_run(2, in_sight, &game);
  assert_true(atomic_load(&game.seen) >= BATCH - 1);
}

#define QUEUE_CASE(sentence, function)                                         \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest queue_tests[] = {
    QUEUE_CASE("tasks come out in the order in which they went in", in_order),
    QUEUE_CASE("a larger priority comes first, a low one last", by_priority),
    QUEUE_CASE("urgent tasks can be pulled apart", urgent_only),
    QUEUE_CASE("a share of what waits goes into the link", shares),
    QUEUE_CASE("no more is taken ahead than fits", no_more_than_fits),
    QUEUE_CASE("only plain tasks are taken ahead", plain_ones_ahead),
    QUEUE_CASE("a task may be put in front of its priority", in_front),
    QUEUE_CASE("nothing is taken ahead behind a task that is many", many_stay),
    QUEUE_CASE("a closed queue takes no task but gives those it has", closed),
    CASE("without memory there is no queue", no_memory),
    QUEUE_CASE("many push, many pull: each task is taken once", exactly_once),
    QUEUE_CASE("a task on its way into the link is not out of sight",
               always_in_sight),
};

int main(void) { return cmocka_run_group_tests(queue_tests, NULL, NULL); }
