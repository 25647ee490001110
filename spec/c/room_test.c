/* room_test.c - how many tasks may wait, and who waits for room */
#include "room.h"

#include "support/cases.h"

static void counted(void **unused) {
  (void)unused;
  fut_arena *arena = fut_arena_new(sizeof(fut_future));
  fut_room room;
  fut_room_init(&room, 2, arena);
  assert_true(fut_room_enter(&room));
  assert_true(fut_room_enter(&room));
  assert_false(fut_room_enter(&room));
  fut_room_leave(&room);
  assert_true(fut_room_enter(&room));
  fut_room_fini(&room);
  fut_arena_close(arena);
}

static void unlimited(void **unused) {
  (void)unused;
  fut_arena *arena = fut_arena_new(sizeof(fut_future));
  fut_room room;
  fut_room_init(&room, SIZE_MAX, arena);
  for (int i = 0; i < 1000; i++)
    assert_true(fut_room_enter(&room));
  fut_room_leave(&room);
  fut_room_fini(&room);
  fut_arena_close(arena);
}

static void vacated(void **unused) {
  (void)unused;
  fut_arena *arena = fut_arena_new(sizeof(fut_future));
  fut_room room;
  fut_room_init(&room, 1, arena);
  fut_future *free = fut_room_vacancy(&room);
  assert_int_equal(fut_future_state(free), FUT_FINISHED); /* there is room */
  fut_future_release(free, arena);

  assert_true(fut_room_enter(&room));
  fut_future *first = fut_room_vacancy(&room);
  fut_future *second = fut_room_vacancy(&room);
  assert_ptr_equal(first, second);
  assert_int_equal(fut_future_state(first), FUT_PENDING);
  fut_room_leave(&room);
  assert_int_equal(fut_future_state(first), FUT_FINISHED);
  fut_future_release(first, arena);
  fut_future_release(second, arena);

  assert_true(fut_room_enter(&room));
  fut_future *given_up = fut_room_vacancy(&room);
  fut_future_end(given_up, FUT_CANCELLED);
  fut_future *next = fut_room_vacancy(&room);
  assert_int_equal(fut_future_state(next), FUT_PENDING);
  fut_room_open(&room);
  assert_int_equal(fut_future_state(next), FUT_FINISHED);
  fut_future_release(given_up, arena);
  fut_future_release(next, arena);
  fut_room_fini(&room);
  fut_arena_close(arena);
}

static const struct CMUnitTest room_tests[] = {
    CASE("as many places as the limit says", counted),
    CASE("without a limit there is always room", unlimited),
    CASE("who waits for room is told of a place, and of the end", vacated),
};

int main(void) { return cmocka_run_group_tests(room_tests, NULL, NULL); }
