/* stream_test.c - bytes from one process to another, through shared memory */
#include "stream.h"

#include "support/cases.h"
#include "support/crew.h"

#include <stdlib.h>
#include <string.h>

static fut_stream *stream;
static uint64_t writer, reader; /* the positions of both sides */

static int begin(void **unused) {
  (void)unused;
  stream = calloc(1, sizeof *stream);
  writer = reader = 0;
  return stream == NULL;
}

static int end(void **unused) {
  (void)unused;
  free(stream);
  return 0;
}

/* What the byte at a position is. */
static unsigned char pattern(uint64_t at) {
  return (unsigned char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static void fill(unsigned char *bytes, uint64_t from, size_t size) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = pattern(from + i);
}

static bool as_filled(const unsigned char *bytes, uint64_t from, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != pattern(from + i))
      return false;
  return true;
}

static void in_order(void **unused) {
  (void)unused;
  unsigned char out[8];
  assert_int_equal(fut_stream_get(stream, &reader, out, sizeof out), 0);
  assert_int_equal(
      fut_stream_put(stream, &writer, (const unsigned char *)"hello", 5), 5);
  assert_int_equal(
      fut_stream_put(stream, &writer, (const unsigned char *)" you", 4), 4);
  assert_int_equal(fut_stream_get(stream, &reader, out, 8), 8);
  assert_memory_equal(out, "hello yo", 8);
  assert_int_equal(fut_stream_get(stream, &reader, out, 8), 1);
  assert_memory_equal(out, "u", 1);
  assert_int_equal(fut_stream_get(stream, &reader, out, 8), 0);
}

static void full(void **unused) {
  (void)unused;
  unsigned char *bytes = malloc(FUT_STREAM_SIZE + 10);
  fill(bytes, 0, FUT_STREAM_SIZE + 10);
  assert_true(fut_stream_writable(stream, writer));
  assert_false(fut_stream_readable(stream, reader));
  assert_int_equal(fut_stream_put(stream, &writer, bytes, FUT_STREAM_SIZE + 10),
                   FUT_STREAM_SIZE);
  assert_false(fut_stream_writable(stream, writer));
  assert_true(fut_stream_readable(stream, reader));
  assert_int_equal(fut_stream_put(stream, &writer, bytes, 1), 0);
  assert_int_equal(fut_stream_get(stream, &reader, NULL, 100), 100);
  assert_true(fut_stream_writable(stream, writer));
  assert_int_equal(fut_stream_get(stream, &reader, bytes, FUT_STREAM_SIZE + 10),
                   FUT_STREAM_SIZE - 100);
  assert_true(as_filled(bytes, 100, FUT_STREAM_SIZE - 100));
  assert_false(fut_stream_readable(stream, reader));
  free(bytes);
}

static void around(void **unused) {
  (void)unused;
  unsigned char *bytes = malloc(FUT_STREAM_SIZE);
  unsigned seed = 7;
  for (unsigned i = 0; i < scaled(500); i++) {
    size_t size = dice(&seed, FUT_STREAM_SIZE);
    uint64_t from = writer;
    fill(bytes, from, size);
    size_t put = fut_stream_put(stream, &writer, bytes, size);
    assert_int_equal(put, size);
    memset(bytes, 0, size);
    size_t first = fut_stream_get(stream, &reader, bytes, size / 3);
    size_t rest =
        fut_stream_get(stream, &reader, bytes + first, FUT_STREAM_SIZE - first);
    assert_int_equal(first + rest, size);
    assert_true(as_filled(bytes, from, size));
  }
  free(bytes);
}

/* --- two sides at a time -------------------------------- */

static size_t total;
static atomic_bool wrong; /* atomic: something else came out */

static void write_side(void) {
  static unsigned char bytes[30000];
  unsigned seed = 1;
  while (writer < total) {
    size_t size = 1 + dice(&seed, sizeof bytes);
    if (size > total - writer)
      size = total - (size_t)writer;
    fill(bytes, writer, size);
    if (fut_stream_put(stream, &writer, bytes, size) == 0)
      sched_yield();
  }
}

static void read_side(void) {
  static unsigned char bytes[50000];
  unsigned seed = 2;
  while (reader < total) {
    uint64_t from = reader;
    size_t got =
        fut_stream_get(stream, &reader, bytes, 1 + dice(&seed, sizeof bytes));
    if (!as_filled(bytes, from, got))
      atomic_store(&wrong, true);
    if (got == 0)
      sched_yield();
  }
}

static void side(void *unused, unsigned index) {
  (void)unused;
  if (index == 0)
    write_side();
  else
    read_side();
}

static void two_sides(void **unused) {
  (void)unused;
  total = (size_t)scaled(100) << 20;
  atomic_store(&wrong, false);
  crew_run(2, side, NULL);
  assert_false(atomic_load(&wrong));
  assert_int_equal(reader, total);
}

/* --- a side that has lost its mind -------------------------------- */

static void garbage(void **unused) {
  (void)unused;
  static unsigned char bytes[FUT_STREAM_SIZE];
  const uint64_t far = (uint64_t)1 << 63;
  const uint64_t read[] = {1, FUT_STREAM_SIZE, far,
                           UINT64_MAX - FUT_STREAM_SIZE};
  const uint64_t written[] = {FUT_STREAM_SIZE + 1, UINT64_MAX, far};
  for (size_t i = 0; i < sizeof read / sizeof *read; i++) {
    atomic_store(&stream->read, read[i]);
    assert_int_equal(fut_stream_put(stream, &writer, bytes, sizeof bytes), 0);
    assert_false(fut_stream_writable(stream, writer));
    assert_int_equal(writer, 0);
  }
  for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
    atomic_store(&stream->written, written[i]);
    assert_int_equal(fut_stream_get(stream, &reader, bytes, sizeof bytes), 0);
    assert_false(fut_stream_readable(stream, reader));
    assert_int_equal(reader, 0);
  }
  unsigned seed = 3;
  for (int i = 0; i < 10000; i++) {
    atomic_store(&stream->written, writer + dice(&seed, 1 << 20));
    atomic_store(&stream->read, reader - dice(&seed, 1 << 20));
    size_t size = dice(&seed, sizeof bytes);
    assert_in_range(fut_stream_put(stream, &writer, bytes, size), 0, size);
    assert_in_range(fut_stream_get(stream, &reader, bytes, size), 0, size);
  }
}

#define STREAM_CASE(sentence, function)                                        \
  { (sentence), (function), begin, end, NULL }

static const struct CMUnitTest stream_tests[] = {
    STREAM_CASE("bytes come out as they went in", in_order),
    STREAM_CASE("a full stream takes no more, and loses nothing", full),
    STREAM_CASE("pieces of any size go around the end", around),
    STREAM_CASE("one side writes while the other reads", two_sides),
    STREAM_CASE("no position of the other side leads astray", garbage),
};

int main(void) { return cmocka_run_group_tests(stream_tests, NULL, NULL); }
