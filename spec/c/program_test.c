/* program_test.c - programs that the shell runs, with a signal mask of choice
 */
#include "program.h"

#include "support/cases.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

static int finish(fut_program *program) {
  int status = -1;
  while (!fut_program_wait(program, &status))
    ;
  return status;
}

static sigset_t empty(void) {
  sigset_t set;
  sigemptyset(&set);
  return set;
}

static void runs(void **unused) {
  (void)unused;
  sigset_t mask = empty();
  fut_program program;
  assert_true(fut_program_shell());
  assert_true(fut_program_start(&program, "exit 3", &mask));
  int status = finish(&program);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 3);
}

static void terminated(void **unused) {
  (void)unused;
  sigset_t mask = empty();
  fut_program program;
  assert_true(fut_program_start(&program, "exec sleep 1000", &mask));
  fut_program_terminate(&program);
  int status = finish(&program);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void piped(void **unused) {
  (void)unused;
  sigset_t mask = empty();
  fut_program program;
  char text[100] = "";
  FILE *file = fut_program_open(&program, "echo out", false, &mask);
  assert_non_null(file);
  assert_non_null(fgets(text, sizeof text, file));
  assert_string_equal(text, "out\n");
  fclose(file);
  assert_int_equal(finish(&program), 0);
  file =
      fut_program_open(&program, "read word; test \"$word\" = in", true, &mask);
  assert_non_null(file);
  fputs("in\n", file);
  fclose(file);
  assert_int_equal(finish(&program), 0);
}

static void masked(void **unused) {
  (void)unused;
  sigset_t mask = empty(), all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* as in a worker */
  fut_program program;
  /* ends by the signal, unless that is blocked */
  assert_true(fut_program_start(&program, "kill -TERM $$; exit 0", &mask));
  assert_true(WIFSIGNALED(finish(&program)));
  sigaddset(&mask, SIGTERM);
  assert_true(fut_program_start(&program, "kill -TERM $$; exit 0", &mask));
  assert_int_equal(finish(&program), 0);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void not_inherited(void **unused) {
  (void)unused;
  sigset_t mask = empty();
  fut_program reader, other;
  FILE *file = fut_program_open(&reader, "cat > /dev/null", true, &mask);
  assert_non_null(file);
  assert_true(fut_program_start(&other, "exec sleep 1000", &mask));
  fclose(file); /* the last one that can write */
  assert_int_equal(finish(&reader), 0);
  fut_program_terminate(&other);
  finish(&other);
}

static void gone(void **unused) {
  (void)unused;
  sigset_t mask = empty();
  fut_program program;
  assert_true(fut_program_start(&program, "exit 0", &mask));
  assert_int_equal(finish(&program), 0);
  assert_int_equal(finish(&program), -1);
  assert_int_equal(errno, ECHILD);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE("a program runs and tells its status", runs),
      CASE("a program can be terminated", terminated),
      CASE("a program writes to us, or reads from us", piped),
      CASE("a program starts with the mask that is asked for", masked),
      CASE("a pipe is not inherited by other programs", not_inherited),
      CASE("a program that was waited for is gone", gone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
