/* arena_test.c - where the futures of one owner live */
#include "arena.h"

#include "support/cases.h"
#include "support/crew.h"
#include "support/ledger.h"

#include <string.h>

#define SIZE 100
#define MANY 1000

static void distinct(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  fut_arena *arena = fut_arena_new(SIZE);
  static char *blocks[MANY];
  for (int i = 0; i < MANY; i++) {
    blocks[i] = fut_arena_take(arena);
    assert_non_null(blocks[i]);
    assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
    memset(blocks[i], i % 100, SIZE);
  }
  for (int i = 0; i < MANY; i++) {
    for (int j = 0; j < SIZE; j++)
      assert_int_equal(blocks[i][j], i % 100);
    fut_arena_give(arena, blocks[i], true);
  }
  fut_arena_close(arena);
  assert_int_equal(ledger_close(&book), 0);
}

static void give_one(void *context, unsigned index) {
  (void)index;
  void **pair = context;
  fut_arena_give(pair[0], pair[1], false);
}

/* Memory does not grow while no more than one block is out. */
static void again(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  fut_arena *arena = fut_arena_new(SIZE);
  void *block = fut_arena_take(arena);
  long before = atomic_load(&book.blocks);
  for (int i = 0; i < MANY; i++) {
    fut_arena_give(arena, block, true);
    block = fut_arena_take(arena);
    fut_arena_give(arena, block, false);
    block = fut_arena_take(arena);
  }
  crew_run(1, give_one, (void *[]){arena, block});
  block = fut_arena_take(arena);
  assert_int_equal(atomic_load(&book.blocks), before);
  fut_arena_give(arena, block, true);
  fut_arena_close(arena);
  assert_int_equal(ledger_close(&book), 0);
}

static void closing(void **unused) {
  (void)unused;
  for (int abroad = 0; abroad <= 3; abroad++) {
    ledger book;
    ledger_open(&book);
    fut_arena *arena = fut_arena_new(SIZE);
    void *blocks[3];
    for (int i = 0; i < 3; i++)
      blocks[i] = fut_arena_take(arena);
    for (int i = 0; i < abroad; i++)
      fut_arena_give(arena, blocks[i], i == 0);
    fut_arena_close(arena);
    for (int i = abroad; i < 3; i++) {
      assert_true(atomic_load(&book.blocks) > 0);
      fut_arena_lock(arena);
      fut_arena_unlock(arena);
      fut_arena_give(arena, blocks[i], false);
    }
    assert_int_equal(ledger_close(&book), 0);
  }
}

static void used_up(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  ledger_allow(&book, 0);
  assert_null(fut_arena_new(SIZE));
  ledger_allow(&book, 1);
  fut_arena *arena = fut_arena_new(SIZE);
  assert_non_null(arena);
  assert_null(fut_arena_take(arena));
  ledger_allow(&book, -1);
  void *block = fut_arena_take(arena);
  assert_non_null(block);
  fut_arena_give(arena, block, true);
  fut_arena_close(arena);
  assert_int_equal(ledger_close(&book), 0);
}

typedef struct tally {
  fut_arena *arena;
  unsigned value; /* guarded by the arena's lock */
} tally;

static void add(void *context, unsigned index) {
  (void)index;
  tally *common = context;
  for (int i = 0; i < 5000; i++) {
    fut_arena_lock(common->arena);
    common->value++;
    fut_arena_unlock(common->arena);
  }
}

static void locked(void **unused) {
  (void)unused;
  tally common = {.arena = fut_arena_new(SIZE)};
  crew_run(4, add, &common);
  assert_int_equal(common.value, 20000);
  fut_arena_close(common.arena);
}

/* Member 0 owns the arena and hands its blocks to the others by slots. */
typedef struct traffic {
  fut_arena *arena;
  unsigned blocks;
  _Atomic(void *) slots[3];
  atomic_bool closed;
} traffic;

static void own(traffic *common) {
  unsigned seed = 1;
  for (unsigned i = 0; i < common->blocks; i++) {
    char *block = fut_arena_take(common->arena);
    memset(block, 1, SIZE);
    unsigned to = dice(&seed, 4);
    void *none = NULL;
    if (to == 3 ||
        !atomic_compare_exchange_strong(&common->slots[to], &none, block))
      fut_arena_give(common->arena, block, true);
  }
  fut_arena_close(common->arena);
  atomic_store(&common->closed, true);
}

static void move(void *context, unsigned index) {
  traffic *common = context;
  if (index == 0) {
    own(common);
    return;
  }
  for (bool last = false; !last;) {
    last = atomic_load(&common->closed);
    char *block = atomic_exchange(&common->slots[index - 1], NULL);
    if (block) {
      memset(block, 2, SIZE);
      fut_arena_give(common->arena, block, false);
    }
  }
}

static void busy(void **unused) {
  (void)unused;
  for (unsigned round = scaled(100); round > 0; round--) {
    ledger book;
    ledger_open(&book);
    traffic common = {.arena = fut_arena_new(SIZE), .blocks = 2000};
    crew_run(4, move, &common);
    assert_int_equal(ledger_close(&book), 0);
  }
}

static const struct CMUnitTest arena_tests[] = {
    CASE("blocks are aligned and do not overlap", distinct),
    CASE("a block that came back is used again, whoever gave it", again),
    CASE("a closed arena goes with its last block", closing),
    CASE("when memory runs out, nothing is taken and nothing lost", used_up),
    CASE("the lock lets one in at a time", locked),
    CASE("blocks go out and come back from all sides at once", busy),
};

int main(void) { return cmocka_run_group_tests(arena_tests, NULL, NULL); }
