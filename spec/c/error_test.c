/* error_test.c - the outcomes that a call can report */
#include "error.h"

#include "support/cases.h"

#include <ctype.h>
#include <string.h>

static void names(void **unused) {
  (void)unused;
  assert_int_equal(FUT_OK, 0);
  assert_string_equal(fut_err_name(FUT_OK), "FUT_OK");
  assert_string_equal(fut_err_name(FUT_ESHUTDOWN), "FUT_ESHUTDOWN");
  assert_string_equal(fut_err_message(FUT_ENOMEM), "not enough memory");
  assert_string_equal(fut_err_message(FUT_ESHUTDOWN),
                      "cannot schedule new futures after shutdown");
}

static void messages(void **unused) {
  (void)unused;
#define X(code, message)                                                       \
  assert_string_equal(fut_err_name(code), #code);                              \
  assert_string_equal(fut_err_message(code), message);                         \
  assert_true(islower((unsigned char)message[0]));                             \
  assert_int_not_equal(message[strlen(message) - 1], '.');                     \
  assert_int_not_equal(code, FUT_OK);
  FUT_ERRORS(X)
#undef X
}

static void unknown(void **unused) {
  (void)unused;
  fut_err err = FUT_EDEADLOCK;
  memset(&err, 0x3f, sizeof err);
  assert_string_equal(fut_err_message(err), "unknown error");
  assert_string_equal(fut_err_name(err), "unknown");
}

static const struct CMUnitTest error_tests[] = {
    CASE("success is zero and has a name too", names),
    CASE("every outcome has its name and a message in lower case", messages),
    CASE("a number that is no outcome is called unknown", unknown),
};

int main(void) { return cmocka_run_group_tests(error_tests, NULL, NULL); }
