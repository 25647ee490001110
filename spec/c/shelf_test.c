/* shelf_test.c - text that was put where all workers of a process pool can read
   it */
#include "shelf.h"

#include "support/cases.h"

#include <stdio.h>
#include <string.h>

#define OFFSET 4096u

static fut_shared shared;
static fut_shelf shelf;

static int begin(void **unused) {
  (void)unused;
  fut_err err = fut_shared_new_part(&shared, OFFSET + FUT_SHELF_SIZE, OFFSET);
  fut_shelf_init(&shelf, &shared, OFFSET);
  return err == FUT_OK ? 0 : -1;
}

static int end(void **unused) {
  (void)unused;
  fut_shelf_fini(&shelf);
  fut_shared_close(&shared);
  return 0;
}

static const unsigned char *base(void) {
  return (const unsigned char *)shared.base + OFFSET;
}

static uint64_t put(const char *text) {
  return fut_shelf_put(&shelf, (const unsigned char *)text, strlen(text));
}

static void check(uint64_t place, const char *text) {
  const unsigned char *there = fut_shelf_at(base(), FUT_SHELF_SIZE, place);
  assert_non_null(there);
  assert_memory_equal(there, text, strlen(text));
}

static void stays(void **unused) {
  (void)unused;
  uint64_t one = put("one text"), other = put("another one, which is longer");
  assert_true(one > 0 && other > 0 && one != other);
  for (int i = 0; i < 100; i++) {
    char text[40];
    snprintf(text, sizeof text, "number %d", i);
    check(put(text), text);
  }
  check(one, "one text");
  check(other, "another one, which is longer");
}

static void once(void **unused) {
  (void)unused;
  uint64_t place = put("the same");
  assert_int_equal(put("the same"), place);
  assert_int_not_equal(put("the sama"), place);
  assert_int_not_equal(put("the sam"), place);
  assert_int_equal(put("the same"), place);
}

static void full(void **unused) {
  (void)unused;
  static unsigned char bytes[60000];
  uint64_t places[40];
  int count = 0;
  do {
    bytes[0] = (unsigned char)count;
    places[count] = fut_shelf_put(&shelf, bytes, sizeof bytes);
  } while (places[count++] != 0);
  assert_int_equal(count - 1, FUT_SHELF_SIZE / 60000);
  for (int i = 0; i < count - 1; i++)
    assert_int_equal(*fut_shelf_at(base(), FUT_SHELF_SIZE, places[i]), i);
  bytes[0] = 3; /* what is there is still found */
  assert_int_equal(fut_shelf_put(&shelf, bytes, sizeof bytes), places[3]);
}

static void many(void **unused) {
  (void)unused;
  char text[40];
  unsigned put_there = 0;
  for (int i = 0; i < 2000; i++) {
    snprintf(text, sizeof text, "text %d", i);
    put_there += put(text) > 0;
  }
  assert_true(put_there >= 500 && put_there < 2000);
  snprintf(text, sizeof text, "text %d", 17);
  check(put(text), text);
}

static void strange_places(void **unused) {
  (void)unused;
  put("something");
  assert_null(fut_shelf_at(base(), FUT_SHELF_SIZE, 0));
  assert_null(
      fut_shelf_at(base(), FUT_SHELF_SIZE, FUT_SHELF_SIZE / FUT_SHELF_UNIT));
  assert_null(fut_shelf_at(base(), FUT_SHELF_SIZE, UINT64_MAX));
  assert_null(fut_shelf_at(NULL, 0, 1));
}

#define SHELF_CASE(sentence, function)                                         \
  { (sentence), (function), begin, end, NULL }

int main(void) {
  const struct CMUnitTest cases[] = {
      SHELF_CASE("what was put stays where it is", stays),
      SHELF_CASE("the same bytes are put once", once),
      SHELF_CASE("one that is full takes nothing more", full),
      SHELF_CASE("it takes no more texts than it can find again", many),
      SHELF_CASE("there is nothing in places that are none", strange_places),
  };
  return cmocka_run_group_tests(cases, NULL, NULL);
}
