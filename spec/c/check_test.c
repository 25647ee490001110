/* check_test.c - assertions that stay on in release builds */
#include "check.h"

#include "support/cases.h"
#include "support/child.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static int break_it(void *context) {
  dup2(*(int *)context, STDERR_FILENO);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  signal(SIGABRT, SIG_DFL);
  int two = 2;
  CHECK(two == 3);
  return 0;
}

static void broken(void **unused) {
  (void)unused;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  int status = child_run(break_it, &ends[1]);
  close(ends[1]);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGABRT);
  char said[500] = "";
  assert_true(read(ends[0], said, sizeof said - 1) > 0);
  close(ends[0]);
  assert_non_null(strstr(said, "check_test.c:"));
  assert_non_null(strstr(said, "two == 3"));
}

static void kept(void **unused) {
  (void)unused;
  int times = 0;
  CHECK(++times == 1);
  assert_int_equal(times, 1);
}

static const struct CMUnitTest check_tests[] = {
    CASE("a broken invariant aborts, and says which and where", broken),
    CASE("one that holds does nothing, and is evaluated once", kept),
};

int main(void) { return cmocka_run_group_tests(check_tests, NULL, NULL); }
