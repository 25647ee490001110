/* location_test.c - where the library and the program lie */
#include "location.h"

#include "support/cases.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void program(void **unused) {
  (void)unused;
  char path[4096];
  if (!fut_location_program(path, sizeof path))
    skip(); /* the system does not tell */
  const char *name = strrchr(path, '/');
  assert_non_null(name);
  assert_string_equal(name, "/location_test");
  assert_int_equal(access(path, X_OK), 0);
}

static void library(void **unused) {
  (void)unused;
  char path[4096];
  if (!fut_location_library(path, sizeof path))
    skip();
  assert_int_equal(path[0], '/');
  assert_int_equal(access(path, R_OK), 0);
}

static void no_room(void **unused) {
  (void)unused;
  char path[4] = "abc";
  assert_false(fut_location_program(path, sizeof path));
  assert_false(fut_location_library(path, sizeof path));
}

static const struct CMUnitTest location_tests[] = {
    CASE("the program that runs is found", program),
    CASE("the library is a file with a full path", library),
    CASE("a path that does not fit is not told", no_room),
};

int main(void) { return cmocka_run_group_tests(location_tests, NULL, NULL); }
