/* memory_test.c - where the library gets its memory */
#include "memory.h"

#include "support/cases.h"
#include "support/ledger.h"

#include <string.h>

static void blocks(void **unused) {
  (void)unused;
  char *block = fut_memory_new(1000);
  assert_non_null(block);
  memset(block, 'x', 1000);
  block = fut_memory_resize(block, 100000);
  assert_non_null(block);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(block[i], 'x');
  block[99999] = 'y';
  fut_memory_free(block);
}

static void from_nothing(void **unused) {
  (void)unused;
  char *block = fut_memory_resize(NULL, 10);
  assert_non_null(block);
  block[9] = 'x';
  fut_memory_free(block);
  fut_memory_free(NULL);
}

static void replaced(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  void *block = fut_memory_new(10);
  assert_non_null(block);
  assert_int_equal(atomic_load(&book.blocks), 1);
  block = fut_memory_resize(block, 20);
  assert_int_equal(atomic_load(&book.blocks), 1);
  fut_memory_free(NULL);
  assert_int_equal(atomic_load(&book.blocks), 1);
  fut_memory_free(block);
  assert_int_equal(ledger_close(&book), 0);

  block = fut_memory_new(10);
  assert_int_equal(atomic_load(&book.made), 1);
  fut_memory_free(block);
}

static void used_up(void **unused) {
  (void)unused;
  ledger book;
  ledger_open(&book);
  ledger_allow(&book, 1);
  char *block = fut_memory_new(5);
  assert_non_null(block);
  strcpy(block, "kept");
  assert_null(fut_memory_new(5));
  assert_null(fut_memory_resize(block, 500));
  assert_string_equal(block, "kept");
  fut_memory_free(block);
  assert_int_equal(ledger_close(&book), 0);
}

static const struct CMUnitTest memory_tests[] = {
    CASE("a block keeps what it holds when it grows", blocks),
    CASE("nothing can be resized to a block, and freed", from_nothing),
    CASE("an allocator that was set is asked until NULL is set", replaced),
    CASE("when memory runs out, the old block stays as it was", used_up),
};

int main(void) { return cmocka_run_group_tests(memory_tests, NULL, NULL); }
