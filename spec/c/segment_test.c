/* segment_test.c - what a process pool and its workers share: its layout */
#include "segment.h"

#include "support/cases.h"

#include <stdbool.h>
#include <string.h>

static void words(void **unused) {
  (void)unused;
  const uint32_t generations[] = {0, 1, 0x80000000u, UINT32_MAX};
  const unsigned seats[] = {0, 1, 65535, 0xffffffu};
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++)
      for (int k = FUT_SLOT_FREE; k <= FUT_SLOT_TAKEN; k++) {
        enum fut_slot_state state = (enum fut_slot_state)k;
        uint64_t word = fut_slot_word(generations[i], state, seats[j]);
        assert_int_equal(fut_slot_generation(word), generations[i]);
        assert_int_equal(fut_slot_seat(word), seats[j]);
        assert_int_equal(fut_slot_state(word), state);
        assert_false(word & FUT_SLOT_STOP);
        assert_int_equal(fut_slot_state(word | FUT_SLOT_STOP), state);
        assert_int_equal(fut_slot_seat(word | FUT_SLOT_STOP), seats[j]);
      }
  assert_int_equal(fut_slot_word(0, FUT_SLOT_FREE, 0), 0); /* new memory */
}

static void lock_free(void **unused) {
  (void)unused;
  fut_slot slot;
  _Atomic uint64_t word;
  assert_true(atomic_is_lock_free(&word)); /* a lock could die with a worker */
  assert_true(atomic_is_lock_free(&slot.watched));
  assert_true(atomic_is_lock_free(&slot.started));
  assert_true(atomic_is_lock_free(&slot.size));
}

static void build(void **unused) {
  (void)unused;
  assert_true(fut_segment_build[0] != '\0');
  assert_non_null(memchr(fut_segment_build, '\0', FUT_BUILD_SIZE));
}

static const struct CMUnitTest segment_tests[] = {
    CASE("a slot's word holds generation, state and seat apart", words),
    CASE("what is shared is changed without locks", lock_free),
    CASE("a build of the library has a name", build),
};

int main(void) { return cmocka_run_group_tests(segment_tests, NULL, NULL); }
