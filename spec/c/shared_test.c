/* shared_test.c - memory that this process shares with its workers */
#include "shared.h"

#include "support/cases.h"
#include "support/child.h"
#include "support/descriptors.h"

#include <string.h>

static void fresh(void **unused) {
  (void)unused;
  fut_shared shared;
  assert_int_equal(fut_shared_new(&shared, 100000), FUT_OK);
  assert_int_equal(shared.size, 100000);
  const unsigned char *bytes = shared.base;
  for (size_t i = 0; i < shared.size; i++)
    assert_int_equal(bytes[i], 0);
  assert_true(descriptor_private(shared.fd));
  fut_shared_close(&shared);
}

static void twice(void **unused) {
  (void)unused;
  fut_shared one, other;
  assert_int_equal(fut_shared_new(&one, 5000), FUT_OK);
  int fd = dup(one.fd);
  assert_int_equal(fut_shared_open(&other, fd), FUT_OK);
  assert_int_equal(other.size, 5000);
  assert_int_equal(other.fd, fd);
  assert_true(descriptor_private(fd));
  assert_ptr_not_equal(one.base, other.base);
  strcpy((char *)one.base + 4000, "from one");
  assert_string_equal((char *)other.base + 4000, "from one");
  fut_shared_close(&one);
  strcpy(other.base, "still there");
  assert_string_equal(other.base, "still there");
  fut_shared_close(&other);
}

static int write_there(void *context) {
  fut_shared shared;
  if (fut_shared_open(&shared, *(int *)context) != FUT_OK)
    return 1;
  strcpy(shared.base, "from the child");
  return 0;
}

static void with_a_child(void **unused) {
  (void)unused;
  fut_shared shared;
  assert_int_equal(fut_shared_new(&shared, 64), FUT_OK);
  assert_int_equal(child_run(write_there, &shared.fd), 0);
  assert_string_equal(shared.base, "from the child");
  fut_shared_close(&shared);
}

static void refused(void **unused) {
  (void)unused;
  unsigned before = descriptors();
  fut_shared shared;
  assert_int_equal(fut_shared_new(&shared, SIZE_MAX), FUT_ENOMEM);
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(fut_shared_open(&shared, ends[0]), FUT_ENOMEM);
  close(ends[0]);
  close(ends[1]);
  assert_int_equal(descriptors(), before);
}

static void nothing_left(void **unused) {
  (void)unused;
  unsigned before = descriptors();
  for (int i = 0; i < 200; i++) {
    fut_shared shared;
    assert_int_equal(fut_shared_new(&shared, 1 << 16), FUT_OK);
    fut_shared_close(&shared);
  }
  assert_int_equal(descriptors(), before);
}

static const struct CMUnitTest shared_tests[] = {
    CASE("new memory is zeros, and programs that are started lack it", fresh),
    CASE("who opens the descriptor sees the same memory", twice),
    CASE("a child writes what the parent reads", with_a_child),
    CASE("what is too large, or no memory, is refused", refused),
    CASE("a mapping that is closed leaves no descriptor", nothing_left),
};

int main(void) { return cmocka_run_group_tests(shared_tests, NULL, NULL); }
