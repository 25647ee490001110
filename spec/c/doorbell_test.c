/* doorbell_test.c - one bell for all threads of this process that wait */
#include "doorbell.h"

#include "parker.h"
#include "support/await.h"
#include "support/cases.h"
#include "support/child.h"
#include "support/crew.h"
#include "support/descriptors.h"

#ifdef FUTURES_PORTABLE

static void none(void **unused) {
  (void)unused;
  int fd = 0;
  assert_null(fut_doorbell_here(&fd));
  assert_int_equal(fd, -1);
  assert_null(fut_doorbell_made());
  assert_null(fut_doorbell_open(0));
  fut_doorbell_ring(NULL);
}

static const struct CMUnitTest doorbell_tests[] = {
    CASE("there is no such thing here, and nobody stumbles over that", none),
};

#else

static void made_once(void **unused) {
  (void)unused;
  assert_null(fut_doorbell_made());
  unsigned before = descriptors();
  int fd, again;
  fut_doorbell *doorbell = fut_doorbell_here(&fd);
  assert_non_null(doorbell);
  assert_ptr_equal(fut_doorbell_made(), doorbell);
  assert_ptr_equal(fut_doorbell_here(&again), doorbell);
  assert_int_equal(fd, again);
  assert_true(descriptor_private(fd));
  assert_int_equal(descriptors(), before + 1);
}

/* Ring as a worker does: with nothing but the descriptor. */
static int ring_from_afar(void *context) {
  fut_doorbell *doorbell = fut_doorbell_open(*(int *)context);
  if (doorbell == NULL)
    return 1;
  fut_deadline limit = fut_deadline_after(within(20));
  while (atomic_load(&doorbell->asleep) == 0)
    if (fut_deadline_left(limit) == 0)
      return 2;
  fut_doorbell_ring(doorbell);
  return 0;
}

static void from_a_worker(void **unused) {
  (void)unused;
  int fd;
  fut_doorbell *doorbell = fut_doorbell_here(&fd);
  fut_parker *parker = fut_parker_new();
  pid_t child = child_start(ring_from_afar, &fd);
  unsigned rung = atomic_load(&doorbell->rung);
  atomic_fetch_add(&doorbell->asleep, 1);
  fut_err err = FUT_OK;
  while (err == FUT_OK && atomic_load(&doorbell->rung) == rung)
    err = fut_parker_park_at(parker, doorbell, rung,
                             fut_deadline_after(within(20)));
  atomic_fetch_sub(&doorbell->asleep, 1);
  assert_int_equal(err, FUT_OK);
  assert_int_equal(child_wait(child), 0);
  fut_parker_free(parker);
}

static void rung_before(void **unused) {
  (void)unused;
  int fd;
  fut_doorbell *doorbell = fut_doorbell_here(&fd);
  fut_parker *parker = fut_parker_new();
  unsigned rung = atomic_load(&doorbell->rung);
  fut_doorbell_ring(doorbell);
  assert_int_equal(fut_parker_park_at(parker, doorbell, rung,
                                      fut_deadline_after(within(20))),
                   FUT_OK);
  rung = atomic_load(&doorbell->rung);
  assert_int_equal(
      fut_parker_park_at(parker, doorbell, rung, fut_deadline_after(0.01)),
      FUT_ETIMEDOUT);
  fut_parker_free(parker);
}

/* Threads that sleep at it until a word has changed. */
typedef struct hall {
  fut_doorbell *doorbell;
  fut_parker *parkers[8];
  atomic_uint said;  /* atomic: what the sleepers wait for */
  atomic_uint heard; /* atomic: how many have seen it */
} hall;

static void sleep_there(void *context, unsigned index) {
  hall *at = context;
  atomic_fetch_add(&at->doorbell->asleep, 1);
  for (;;) {
    unsigned rung = atomic_load(&at->doorbell->rung);
    if (atomic_load(&at->said))
      break;
    fut_parker_park_at(at->parkers[index], at->doorbell, rung, FUT_NEVER);
  }
  atomic_fetch_sub(&at->doorbell->asleep, 1);
  atomic_fetch_add(&at->heard, 1);
}

static bool all_asleep(void *context) {
  return atomic_load(&((hall *)context)->doorbell->asleep) == 8;
}

static void hall_open(hall *at, crew *sleepers) {
  int fd;
  at->doorbell = fut_doorbell_here(&fd);
  atomic_init(&at->said, 0);
  atomic_init(&at->heard, 0);
  for (int i = 0; i < 8; i++)
    at->parkers[i] = fut_parker_new();
  crew_start(sleepers, 8, sleep_there, at);
  assert_true(eventually(all_asleep, at));
}

static void hall_close(hall *at, crew *sleepers) {
  crew_join(sleepers);
  assert_int_equal(atomic_load(&at->heard), 8);
  for (int i = 0; i < 8; i++)
    fut_parker_free(at->parkers[i]);
}

static void wakes_all(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < scaled(200); i++) {
    hall at;
    crew sleepers;
    hall_open(&at, &sleepers);
    atomic_store(&at.said, 1);
    fut_doorbell_ring(at.doorbell);
    hall_close(&at, &sleepers);
  }
}

static void woken_one_by_one(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < scaled(200); i++) {
    hall at;
    crew sleepers;
    hall_open(&at, &sleepers);
    atomic_store(&at.said, 1);
    for (int j = 0; j < 8; j++)
      fut_parker_unpark(at.parkers[j]);
    hall_close(&at, &sleepers);
  }
}

static int another_one(void *context) {
  if (fut_doorbell_made() != NULL)
    return 1;
  int fd;
  fut_doorbell *doorbell = fut_doorbell_here(&fd);
  if (doorbell == NULL || doorbell == context || fd < 0)
    return 2;
  fut_doorbell_ring(doorbell);
  return fut_doorbell_made() == doorbell ? 0 : 3;
}

static void forked(void **unused) {
  (void)unused;
  int fd;
  fut_doorbell *doorbell = fut_doorbell_here(&fd);
  unsigned rung = atomic_load(&doorbell->rung);
  assert_int_equal(child_run(another_one, doorbell), 0);
  assert_int_equal(atomic_load(&doorbell->rung), rung);
}

static void no_page(void **unused) {
  (void)unused;
  assert_null(fut_doorbell_open(-1));
}

static const struct CMUnitTest doorbell_tests[] = {
    CASE("there is one, made when first wanted", made_once),
    CASE("a worker rings it by its descriptor", from_a_worker),
    CASE("a ring before the sleep keeps from sleeping", rung_before),
    CASE("a ring wakes all who sleep there", wakes_all),
    CASE("who sleeps there can still be woken alone", woken_one_by_one),
    CASE("a forked child makes another", forked),
    CASE("without a descriptor there is none", no_page),
};

#endif

int main(void) { return cmocka_run_group_tests(doorbell_tests, NULL, NULL); }
