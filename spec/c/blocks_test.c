/* blocks_test.c - small blocks of memory whose sizes their user knows */
#include <stdlib.h>

/* What the blocks lie in may be refused here. */
static long refused_after = -1; /* so many are given; negative: all */

static int given(void) {
  if (refused_after == 0)
    return 0;
  refused_after -= refused_after > 0;
  return 1;
}

static int some_memalign(void **place, size_t alignment, size_t size) {
  return given() ? posix_memalign(place, alignment, size) : 12;
}

static void *some_malloc(size_t size) { return given() ? malloc(size) : NULL; }

static void *some_realloc(void *block, size_t size) {
  return given() ? realloc(block, size) : NULL;
}

/* A copy of its own, beside that of the library. */
#define fut_blocks_init refusing_init
#define fut_blocks_fini refusing_fini
#define fut_blocks_resize refusing_resize
#define posix_memalign some_memalign
#define malloc some_malloc
#define realloc some_realloc
#include "blocks.c"
#undef posix_memalign
#undef malloc
#undef realloc

#include "support/cases.h"

#include <stdint.h>

static fut_blocks blocks;

static int begin(void **unused) {
  (void)unused;
  refused_after = -1;
  fut_blocks_init(&blocks);
  return 0;
}

static int end(void **unused) {
  (void)unused;
  refused_after = -1;
  fut_blocks_fini(&blocks);
  return 0;
}

enum { MANY = 9000 };

/* Blocks, each full of a byte of its own. */
static struct {
  unsigned char *at;
  size_t size;
  unsigned char fill;
} all[MANY];

static void fill(unsigned i) {
  static unsigned char next;
  all[i].fill = ++next;
  if (all[i].size > 0)
    memset(all[i].at, all[i].fill, all[i].size);
}

static void check(unsigned i, size_t size) {
  for (size_t at = 0; at < size; at++)
    if (all[i].at[at] != all[i].fill)
      fail_msg("byte %zu of a block of %zu was changed", at, all[i].size);
  assert_int_equal((uintptr_t)all[i].at % FUT_BLOCK_GRAIN, 0);
}

/* Resize one; return whether that was done. */
static bool resize(unsigned i, size_t size) {
  size_t old = all[i].size;
  check(i, old);
  void *block = fut_blocks_resize(&blocks, all[i].at, old, size);
  if (block == NULL && size > 0) {
    assert_true(size > old);
    check(i, old);
    return false;
  }
  all[i].at = block;
  all[i].size = size;
  if (size > 0)
    check(i, old < size ? old : size);
  fill(i);
  return true;
}

static size_t any_size(unsigned *seed) {
  switch (dice(seed, 8)) {
  case 0:
    return dice(seed, 5000);
  case 1:
    return 240 + dice(seed, 40); /* on either side of what is small */
  case 2:
    return 0;
  default:
    return 1 + dice(seed, FUT_BLOCK_SMALL);
  }
}

static void free_all(void) {
  for (unsigned i = 0; i < MANY; i++)
    if (all[i].at)
      assert_true(resize(i, 0));
}

static void any_order(void **unused) {
  (void)unused;
  unsigned seed = 7;
  for (unsigned n = 0; n < scaled(100000); n++)
    assert_true(resize(dice(&seed, MANY), any_size(&seed)));
  free_all();
}

static void no_memory(void **unused) {
  (void)unused;
  unsigned seed = 11, failed = 0;
  for (unsigned n = 0; n < scaled(60000); n++) {
    if (n % 500 == 0) /* for a while there is some, or none */
      refused_after = dice(&seed, 3) == 0 ? -1 : (long)dice(&seed, 20);
    failed += !resize(dice(&seed, MANY), any_size(&seed));
  }
  assert_true(failed > 0);
  free_all();
}

static void strays(void **unused) {
  (void)unused;
  unsigned count = 0;
  for (; count < 100; count++)
    assert_true(resize(count, 300));
  refused_after = 3; /* no more than a nursery and a region */
  while (count < MANY && resize(count, 256))
    count++;
  while (count < MANY && resize(count, 64))
    count++;
  assert_true(count < MANY);
  for (unsigned i = 0; i < 100; i++)
    assert_true(resize(i, i % 2 ? 64 : 200)); /* no room for either */
  assert_non_null(blocks.strays);
  for (unsigned i = 0; i < 30; i++)
    assert_true(resize(i, 0));
  for (unsigned i = 30; i < 60; i++)
    assert_true(resize(i, 32));
  refused_after = -1;
  for (unsigned i = 60; i < 100; i++)
    assert_true(resize(i, 400));
  free_all();
  assert_null(blocks.strays);
}

static void come_back(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < MANY; i++)
    assert_true(resize(i, 64));
  free_all();
  assert_true(blocks.spares > 0);
  refused_after = 0; /* what was there serves other sizes as well */
  for (unsigned i = 0; i < 4 * 130; i++)
    assert_true(resize(i, 200));
  free_all();
}

static void small_at_first(void **unused) {
  (void)unused;
  for (unsigned i = 0; i < 300; i++)
    assert_true(resize(i, 16 + 16 * (i % 8)));
  for (int i = 0; i < FUT_BLOCK_SIZES; i++)
    assert_null(blocks.slabs[i]); /* all in the nursery */
  free_all();
}

#define BLOCKS_CASE(sentence, function)                                        \
  { (sentence), (function), begin, end, NULL }

int main(void) {
  const struct CMUnitTest cases[] = {
      BLOCKS_CASE("blocks keep what they hold, whatever becomes of others",
                  any_order),
      BLOCKS_CASE("without memory blocks stay as they are", no_memory),
      BLOCKS_CASE("blocks become smaller without memory, too", strays),
      BLOCKS_CASE("slabs without blocks serve another size", come_back),
      BLOCKS_CASE("the first blocks lie together", small_at_first),
  };
  return cmocka_run_group_tests(cases, NULL, NULL);
}
