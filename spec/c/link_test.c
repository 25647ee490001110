/* link_test.c - tasks handed to one worker, which others may take back */
#include "link.h"

#include "support/cases.h"
#include "support/crew.h"

static void in_order(void **unused) {
  (void)unused;
  fut_link link;
  uint64_t ticket = 99;
  fut_link_init(&link);
  assert_false(fut_link_take(&link, &ticket));
  assert_int_equal(ticket, 99);
  for (uint64_t i = 0; i < 1000; i += 10) {
    for (uint64_t j = i; j < i + 10; j++)
      fut_link_feed(&link, j);
    for (uint64_t j = i; j < i + 10; j++) {
      assert_true(fut_link_take(&link, &ticket));
      assert_int_equal(ticket, j);
    }
  }
  assert_false(fut_link_take(&link, &ticket));
}

static void room(void **unused) {
  (void)unused;
  fut_link link;
  uint64_t ticket;
  fut_link_init(&link);
  for (int lap = 0; lap < 3; lap++) {
    for (unsigned i = 0; i < FUT_LINK_SIZE; i++) {
      assert_int_equal(fut_link_count(&link), i);
      assert_int_equal(fut_link_room(&link), FUT_LINK_SIZE - i);
      fut_link_feed(&link, UINT64_MAX - i);
    }
    assert_int_equal(fut_link_room(&link), 0);
    for (unsigned i = 0; i < FUT_LINK_SIZE; i++) {
      assert_true(fut_link_take(&link, &ticket));
      assert_int_equal(ticket, UINT64_MAX - i);
      assert_int_equal(fut_link_room(&link), i + 1);
    }
  }
}

/* Member 0 feeds, the others take, as long as it feeds and to the end. */
typedef struct market {
  fut_link link;
  unsigned tickets;
  atomic_uchar *taken; /* how often each ticket was taken */
  atomic_bool over;
  atomic_uint disorder; /* how often a taker's tickets did not rise */
  atomic_uint overfull;
} market;

static void feed(market *game) {
  unsigned seed = 1, fed = 0;
  while (fed < game->tickets) {
    unsigned batch = dice(&seed, fut_link_room(&game->link) + 1);
    for (; batch > 0 && fed < game->tickets; batch--)
      fut_link_feed(&game->link, fed++);
    if (dice(&seed, 4) == 0)
      sched_yield();
  }
  atomic_store(&game->over, true);
}

static void take(market *game) {
  uint64_t ticket, last = 0;
  bool first = true;
  for (;;) {
    bool over = atomic_load(&game->over);
    if (fut_link_count(&game->link) > FUT_LINK_SIZE)
      atomic_fetch_add(&game->overfull, 1);
    if (fut_link_take(&game->link, &ticket)) {
      atomic_fetch_add(&game->taken[ticket], 1);
      if (!first && ticket <= last)
        atomic_fetch_add(&game->disorder, 1);
      first = false;
      last = ticket;
    } else if (over)
      return;
    else
      sched_yield();
  }
}

static void trade(void *context, unsigned index) {
  if (index == 0)
    feed(context);
  else
    take(context);
}

static void exactly_once(void **unused) {
  (void)unused;
  for (unsigned takers = 1; takers <= 4; takers++) {
    market game = {.tickets = scaled(400000)};
    fut_link_init(&game.link);
    game.taken = calloc(game.tickets, sizeof *game.taken);
    crew_run(1 + takers, trade, &game);
    for (unsigned i = 0; i < game.tickets; i++)
      assert_int_equal(atomic_load(&game.taken[i]), 1);
    assert_int_equal(atomic_load(&game.disorder), 0);
    assert_int_equal(atomic_load(&game.overfull), 0);
    assert_int_equal(fut_link_count(&game.link), 0);
    free(game.taken);
  }
}

static const struct CMUnitTest link_tests[] = {
    CASE("tickets come out in the order in which they went in", in_order),
    CASE("a link holds so many tickets, lap after lap", room),
    CASE("one feeds, many take: each ticket is taken once", exactly_once),
};

int main(void) { return cmocka_run_group_tests(link_tests, NULL, NULL); }
