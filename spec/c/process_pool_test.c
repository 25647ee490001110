/* process_pool_test.c - an executor whose workers are child processes */
#include "process_pool.h"

#include "segment.h"
#include "support/cases.h"
#include "support/crew.h"
#include "support/process_pool.h"

/* --- calls and outcomes ----------------------------------------------------
 */

static void answers(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  expect(ask(&at, "echo hello"), "hello");
  expect(ask(&at, "echo "), "");
  expect(ask(&at, "write 1"), ""); /* no bytes come out */
  call *wrong = ask(&at, "fail this way");
  assert_int_equal(answered(wrong), FUT_FAILED);
  assert_true(call_says(wrong, "this way"));
  assert_int_equal(wrong->why, FUT_OK);
  call_release(wrong);
  call *named = call_new(at.arena, "name");
  named->name = "of the call";
  expect(team_submit(&at, named), "of the call");
  expect(ask(&at, "name"), "(none)");
  call *stray = ask(&at, "nonsense");
  assert_int_equal(answered(stray), FUT_FAILED);
  call_release(stray);
  team_close(&at);
}

static void many(void **unused) {
  (void)unused;
  for (unsigned workers = 1; workers <= 3; workers++) {
    team at;
    team_open(&at, workers);
    enum { CALLS = 3000 };
    static call *calls[CALLS];
    for (int i = 0; i < CALLS; i++)
      calls[i] = ask_number(&at, "echo", i);
    for (int i = 0; i < CALLS; i++) {
      char text[20];
      snprintf(text, sizeof text, "%d", i);
      expect(calls[i], text);
    }
    fut_executor_stats stats = team_stats(&at);
    assert_int_equal(stats.completed, CALLS);
    assert_int_equal(stats.pending, 0);
    assert_int_equal(stats.running, 0);
    assert_in_range(stats.workers, 1, workers);
    team_close(&at);
  }
}

/* Sizes around everything that has a size. */
static void sizes(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  const size_t sizes[] = {FUT_SLOT_SPACE - 7,  FUT_SLOT_SPACE - 6,
                          FUT_SLOT_SPACE - 5,  FUT_SLOT_SPACE,
                          FUT_SLOT_SPACE + 1,  FUT_STREAM_SIZE - 6,
                          FUT_STREAM_SIZE,     FUT_STREAM_SIZE + 1,
                          3 * FUT_STREAM_SIZE, (size_t)5000000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t size = sizes[i];
    unsigned char *bytes = malloc(size + 6);
    memcpy(bytes, "check ", 6);
    board_fill(bytes + 6, size);
    call *sent = team_submit(&at, call_of(at.arena, bytes, size + 6));
    memcpy(bytes, "echo  ", 6);
    call *echoed = team_submit(&at, call_of(at.arena, bytes, size + 6));
    call *made = ask_number(&at, "big", (long)size);
    expect(sent, "good");
    assert_int_equal(answered(echoed), FUT_FINISHED);
    assert_int_equal(echoed->size, size + 1);
    assert_true(board_filled(echoed->bytes + 1, size));
    assert_int_equal(answered(made), FUT_FINISHED);
    assert_int_equal(made->size, size);
    assert_true(board_filled(made->bytes, size));
    call_release(echoed);
    call_release(made);
    free(bytes);
  }
  team_close(&at);
}

static void long_name(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  char name[1000];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  call *named = call_new(at.arena, "name");
  named->name = name;
  team_submit(&at, named);
  assert_int_equal(answered(named), FUT_FINISHED);
  assert_in_range(named->size, 32, sizeof name - 1); /* cut off */
  for (size_t i = 0; i < named->size; i++)
    assert_int_equal(named->bytes[i], 'n');
  call_release(named);
  team_close(&at);
}

/* --- the order -------------------------------------------------------------
 */

static void assert_entries(team *at, const unsigned *expected, unsigned count) {
  assert_int_equal(atomic_load(&at->board->length), count);
  for (unsigned i = 0; i < count; i++)
    assert_int_equal(atomic_load(&at->board->entries[i]), expected[i]);
}

static void in_order(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  static unsigned expected[1000];
  for (unsigned i = 0; i < 1000; i++) {
    expected[i] = i;
    call_release(ask_number(&at, "write", i));
  }
  fut_executor_shutdown(at.pool, false);
  assert_true(team_over(&at));
  assert_entries(&at, expected, 1000);
  team_leave(&at);
}

static void ask_urgently(team *at, long number, double priority) {
  char text[64];
  snprintf(text, sizeof text, "write %ld", number);
  call *task = call_new(at->arena, text);
  task->task.priority = priority;
  call_release(team_submit(at, task));
}

/* Some overtake others that were handed out already, and many more. */
static void overtaking(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *gate = ask(&at, "gate 0");
  gate_pid(&at, 0);
  static unsigned expected[1004] = {2, 1, 3};
  for (unsigned i = 0; i < 1000; i++) {
    expected[3 + i] = 1000 + i;
    ask_urgently(&at, 1000 + i, 0);
  }
  ask_urgently(&at, 9, -1);
  expected[1003] = 9;
  ask_urgently(&at, 1, 1);
  ask_urgently(&at, 2, 2);
  ask_urgently(&at, 3, 1);
  gate_let_go(&at, 0);
  expect(gate, "gone");
  fut_executor_shutdown(at.pool, false);
  assert_true(team_over(&at));
  assert_entries(&at, expected, 1004);
  team_leave(&at);
}

/* Those of a priority below 0 were handed out, when others came. */
static void overtaken(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *gate = ask(&at, "gate 0");
  gate_pid(&at, 0);
  static unsigned expected[120];
  for (unsigned i = 0; i < 100; i++) {
    expected[20 + i] = 100 + i;
    ask_urgently(&at, 100 + i, -1);
  }
  for (unsigned i = 0; i < 20; i++) {
    expected[i] = i;
    ask_urgently(&at, i, 0);
  }
  gate_let_go(&at, 0);
  expect(gate, "gone");
  fut_executor_shutdown(at.pool, false);
  assert_true(team_over(&at));
  assert_entries(&at, expected, 120);
  team_leave(&at);
}

/* --- cancelling ------------------------------------------------------------
 */

static void cancelled(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *gate = ask(&at, "gate 0");
  gate_pid(&at, 0);
  enum { CALLS = 1000 }; /* about half of them are handed out */
  static call *calls[CALLS];
  for (int i = 0; i < CALLS; i++)
    calls[i] = ask_number(&at, "write", i);
  assert_int_equal(fut_task_state(&calls[0]->task), FUT_PENDING);
  assert_int_equal(fut_task_state(&gate->task), FUT_RUNNING);
  assert_false(fut_task_cancel(&gate->task));
  for (int i = 0; i < CALLS; i += 2)
    assert_true(fut_task_cancel(&calls[i]->task));
  assert_true(fut_task_cancel(&calls[0]->task)); /* once more */
  assert_int_equal(team_stats(&at).cancelled, CALLS / 2);
  gate_let_go(&at, 0);
  expect(gate, "gone");
  for (int i = 0; i < CALLS; i++)
    if (i % 2)
      expect(calls[i], "");
    else
      expect_cancelled(calls[i]);
  assert_int_equal(atomic_load(&at.board->length), CALLS / 2);
  assert_int_equal(team_stats(&at).pending, 0);
  team_close(&at);
}

static void in_order_after_cancel(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 1);
  call *gate = ask(&at, "gate 0");
  gate_pid(&at, 0);
  enum { CALLS = 1000 };
  static call *calls[CALLS];
  for (int i = 0; i < CALLS; i++)
    calls[i] = ask_number(&at, "write", i);
  for (int i = 0; i < CALLS; i += 2)
    assert_true(fut_task_cancel(&calls[i]->task));
  gate_let_go(&at, 0);
  expect(gate, "gone");
  static unsigned expected[CALLS / 2];
  for (unsigned i = 0; i < CALLS; i++)
    if (i % 2) {
      expected[i / 2] = i;
      expect(calls[i], "");
    } else
      expect_cancelled(calls[i]);
  assert_entries(&at, expected, CALLS / 2);
  team_close(&at);
}

/* --- limits ----------------------------------------------------------------
 */

static void so_many_may_wait(void **unused) {
  (void)unused;
  team at;
  team_init(&at, 1, "work");
  at.options.pool.max_pending = 2;
  team_start(&at);
  call *gate = ask(&at, "gate 0");
  gate_pid(&at, 0);
  fut_future *vacancy = fut_executor_vacancy(at.pool);
  assert_true(await(vacancy)); /* it has been seen that the gate runs */
  fut_future_release(vacancy, NULL);
  call *first = ask(&at, "echo 1"), *second = ask(&at, "echo 2");
  call *third = call_new(at.arena, "echo 3");
  fut_object_hold(&third->task.future.object);
  assert_int_equal(fut_executor_submit(at.pool, &third->task), FUT_EFULL);
  vacancy = fut_executor_vacancy(at.pool);
  assert_int_equal(fut_future_state(vacancy), FUT_PENDING);
  gate_let_go(&at, 0);
  assert_true(await(vacancy));
  fut_future_release(vacancy, NULL);
  assert_int_equal(fut_executor_submit(at.pool, &third->task), FUT_OK);
  expect(gate, "gone");
  expect(first, "1");
  expect(second, "2");
  expect(third, "3");
  team_close(&at);
}

/* --- several threads -------------------------------------------------------
 */

/* Each has futures of its own and waits for them. */
static void submit_and_wait(void *context, unsigned index) {
  team own = *(team *)context;
  own.arena = call_arena();
  for (unsigned i = 0; i < scaled(300); i++) {
    call *calls[8];
    for (int j = 0; j < 8; j++)
      calls[j] = ask_number(&own, "echo", (long)(index * 100 + (unsigned)j));
    if (i % 5 == 0)
      fut_task_cancel(&calls[7]->task);
    for (int j = 0; j < 8; j++) {
      char text[20];
      snprintf(text, sizeof text, "%u", index * 100 + (unsigned)j);
      fut_state state = answered(calls[j]);
      if (state == FUT_FINISHED)
        assert_true(call_says(calls[j], text));
      else
        assert_true(state == FUT_CANCELLED && j == 7);
      call_release(calls[j]);
    }
  }
  fut_arena_close(own.arena);
}

static void from_many_threads(void **unused) {
  (void)unused;
  team at;
  team_open(&at, 2);
  crew_run(4, submit_and_wait, &at);
  team_close(&at);
}

static const struct CMUnitTest process_pool_tests[] = {
    CASE("a call is made, and its outcome comes back", answers),
    CASE("any number of calls end, each with its own outcome", many),
    CASE("calls and outcomes may be small or huge", sizes),
    CASE("a name that is too long is cut off", long_name),
    CASE("one worker takes calls in the order of submission", in_order),
    CASE("a larger priority overtakes what was handed out", overtaking),
    CASE("any priority overtakes a smaller one", overtaken),
    CASE("what has not started can be cancelled, handed out or not", cancelled),
    CASE("what remains is taken in the order of submission",
         in_order_after_cancel),
    CASE("so many tasks may wait, and who waits for room is told",
         so_many_may_wait),
    CASE("threads submit, cancel and wait at the same time", from_many_threads),
};

int main(void) {
  return cmocka_run_group_tests(process_pool_tests, NULL, NULL);
}
