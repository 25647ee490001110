/* process_test.c - a child process: started, watched, signalled and buried */
#include "process.h"

#include "support/await.h"
#include "support/cases.h"
#include "support/child.h"
#include "support/descriptors.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* Start a shell that runs the command. */
static int start(fut_process *process, const char *command, const int *passed,
                 size_t count) {
  char shell[] = "sh", option[] = "-c", text[400];
  snprintf(text, sizeof text, "%s", command);
  char *arguments[] = {shell, option, text, NULL};
  assert_int_equal(fut_process_prepare(process), 0);
  int descriptors_passed[8];
  assert_in_range(count, 0, 7);
  for (size_t i = 0; i < count; i++)
    descriptors_passed[i] = passed[i];
  descriptors_passed[count] = process->lease;
  return fut_process_start(process, "/bin/sh", arguments, descriptors_passed,
                           count + 1);
}

/* Wait for the end of a child, by its descriptor, and bury it. */
static fut_process_end end_of(fut_process *process) {
  fut_process_end end;
  fut_deadline limit = fut_deadline_after(within(20));
  struct pollfd fd = {.fd = process->watch, .events = POLLIN};
  bool buried = false;
  while (!buried && fut_deadline_left(limit) > 0) {
    poll(&fd, 1, (int)(within(20) * 1000));
    buried = fut_process_bury(process, &end);
  }
  assert_true(buried);
  return end;
}

static fut_process_end run(const char *command) {
  fut_process process;
  assert_int_equal(start(&process, command, NULL, 0), 0);
  return end_of(&process);
}

static void assert_text(fut_process_end end, const char *expected) {
  char text[80];
  fut_process_end_text(&end, text, sizeof text);
  assert_string_equal(text, expected);
}

/* --- how it ends -----------------------------------------------------------
 */

static void exit_codes(void **unused) {
  (void)unused;
  const int codes[] = {0, 3, 255};
  for (int i = 0; i < 3; i++) {
    char command[20];
    snprintf(command, sizeof command, "exit %d", codes[i]);
    fut_process_end end = run(command);
    assert_int_equal(end.how, FUT_END_EXIT);
    assert_int_equal(end.code, codes[i]);
  }
  assert_text(run("exit 3"), "exited with code 3");
}

static void signals(void **unused) {
  (void)unused;
  fut_process_end end = run("kill -KILL $$");
  assert_int_equal(end.how, FUT_END_SIGNAL);
  assert_int_equal(end.code, SIGKILL);
  assert_text(run("kill -TERM $$"), "killed by signal 15");
}

static void not_found(void **unused) {
  (void)unused;
  unsigned before = descriptors();
  char name[] = "nothing";
  char *arguments[] = {name, NULL};
  fut_process process;
  assert_int_equal(fut_process_prepare(&process), 0);
  assert_int_equal(
      fut_process_start(&process, "/nowhere/nothing", arguments, NULL, 0),
      ENOENT);
  assert_int_equal(fut_process_prepare(&process), 0);
  assert_int_equal(fut_process_start(&process, "/", arguments, NULL, 0),
                   EACCES);
  assert_int_equal(descriptors(), before);
}

/* --- while it lives --------------------------------------------------------
 */

/* A child that lives until we close our end of a pipe. */
typedef struct reader {
  fut_process process;
  int end;
} reader;

static void reader_start(reader *child, const char *then) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  char command[200];
  snprintf(command, sizeof command, "read x <&%d; %s", ends[0], then);
  assert_int_equal(start(&child->process, command, ends, 1), 0);
  close(ends[0]);
  child->end = ends[1];
}

static void lives(void **unused) {
  (void)unused;
  reader child;
  reader_start(&child, "exit 4");
  struct pollfd fd = {.fd = child.process.watch, .events = POLLIN};
  fut_process_end end;
  assert_int_equal(poll(&fd, 1, 20), 0);
  assert_false(fut_process_bury(&child.process, &end));
  assert_true(descriptor_private(child.process.watch));
  close(child.end);
  end = end_of(&child.process);
  assert_int_equal(end.how, FUT_END_EXIT);
  assert_int_equal(end.code, 4);
}

static void signalled(void **unused) {
  (void)unused;
  reader child;
  reader_start(&child, "exit 4");
  fut_process_signal(&child.process, SIGTERM);
  fut_process_end end = end_of(&child.process);
  assert_int_equal(end.how, FUT_END_SIGNAL);
  assert_int_equal(end.code, SIGTERM);
  close(child.end);

  reader_start(&child, "exit 4");
  close(child.end);
  struct pollfd fd = {.fd = child.process.watch, .events = POLLIN};
  assert_int_equal(poll(&fd, 1, (int)(within(20) * 1000)), 1);
  fut_process_signal(&child.process, SIGKILL); /* it has ended: too late */
  end = end_of(&child.process);
  assert_int_equal(end.how, FUT_END_EXIT);
  assert_int_equal(end.code, 4);
}

static void stopped(void **unused) {
  (void)unused;
  reader child;
  reader_start(&child, "exit 4");
  fut_process_signal(&child.process, SIGSTOP);
  fut_process_end end;
  assert_false(fut_process_bury(&child.process, &end));
  fut_process_signal(&child.process, SIGKILL);
  end = end_of(&child.process);
  assert_int_equal(end.how, FUT_END_SIGNAL);
  assert_int_equal(end.code, SIGKILL);
  close(child.end);
}

static void taken_by_the_host(void **unused) {
  (void)unused;
  void (*before)(int) = signal(SIGCHLD, SIG_IGN);
  reader child;
  reader_start(&child, "exit 4");
  close(child.end);
  fut_process_end end = end_of(&child.process);
  signal(SIGCHLD, before);
  assert_int_equal(end.how, FUT_END_UNKNOWN);
  assert_text(end, "ended (exit status taken by the host)");

  reader_start(&child, "exit 4");
  close(child.end);
  int status;
  assert_int_equal(waitpid(child.process.pid, &status, 0), child.process.pid);
  assert_int_equal(end_of(&child.process).how, FUT_END_UNKNOWN);
}

static void nothing_left(void **unused) {
  (void)unused;
  unsigned before = descriptors();
  for (unsigned i = 0; i < 20; i++)
    assert_int_equal(run("exit 0").how, FUT_END_EXIT);
  assert_int_equal(descriptors(), before);
  assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
  assert_int_equal(errno, ECHILD);
}

/* --- what it finds ---------------------------------------------------------
 */

static void surroundings(void **unused) {
  (void)unused;
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  sigprocmask(SIG_BLOCK, &some, &before); /* here, not there */
  void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
  fut_process_end blocked = run("kill -TERM $$; exit 1");
  fut_process_end ignored = run("kill -PIPE $$; exit 1");
  signal(SIGPIPE, pipe_before);
  sigprocmask(SIG_SETMASK, &before, NULL);
  assert_int_equal(blocked.code, SIGTERM);
  assert_int_equal(ignored.code, SIGPIPE);
  assert_int_equal(run("kill -INT $$; exit 5").code, 5); /* is blocked */
  assert_int_equal(run("read line && exit 1; exit 6").code, 6);
}

static void passed(void **unused) {
  (void)unused;
  int ends[2], others[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(pipe(others), 0);
  for (int i = 0; i < 2; i++) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(others[i], F_SETFD, FD_CLOEXEC);
  }
  char command[200];
  snprintf(command, sizeof command,
           "(echo no >&%d) 2>/dev/null && exit 1; echo hello >&%d", others[1],
           ends[1]);
  fut_process process;
  assert_int_equal(start(&process, command, &ends[1], 1), 0);
  assert_int_equal(end_of(&process).code, 0);
  assert_true(descriptor_private(ends[1])); /* here nothing has changed */
  char text[8] = "";
  assert_int_equal(read(ends[0], text, sizeof text - 1), 6);
  assert_string_equal(text, "hello\n");
  for (int i = 0; i < 2; i++) {
    close(ends[i]);
    close(others[i]);
  }
}

/* --- in the child ----------------------------------------------------------
 */

static int settle(void *context) {
  int kept[] = {((int *)context)[0], -1};
  int other = ((int *)context)[1];
  fut_process_settle(kept, 2);
  if (!descriptor_open(kept[0]))
    return 1;
  if (descriptor_open(other))
    return 2;
  for (int fd = 0; fd < 3; fd++)
    if (!descriptor_open(fd))
      return 3;
  raise(SIGINT);
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  return sigismember(&mask, SIGINT) ? 4 : 0;
}

static void settled(void **unused) {
  (void)unused;
  int fds[2] = {dup(1), dup2(1, 200)};
  assert_int_equal(child_run(settle, fds), 0);
  close(fds[0]);
  close(fds[1]);
}

typedef struct family {
  pid_t parent;
  int wake[2]; /* the parent writes, the child reads */
  int tell[2]; /* the child writes what it saw */
} family;

static int watch(void *context) {
  family *own = context;
  for (;;) {
    fut_err err = fut_process_watch_parent(own->parent, own->wake[0]);
    char seen = err == FUT_OK ? 'o' : err == FUT_EAGAIN ? 'a' : '?';
    if (write(own->tell[1], &seen, 1) != 1)
      return 1;
    char byte;
    if (err != FUT_EAGAIN || read(own->wake[0], &byte, 1) != 1)
      return 0;
  }
}

/* Have a child that watches, wake it, and end before it. */
static int be_a_parent(void *context) {
  family *own = context;
  own->parent = getpid();
  pid_t child = child_start(watch, own);
  char byte;
  for (int i = 0; i < 3; i++)
    if (write(own->wake[1], "w", 1) != 1 || read(own->tell[0], &byte, 1) != 1 ||
        byte != 'a')
      return 1;
  return child > 0 ? 0 : 2;
}

static void parents_end(void **unused) {
  (void)unused;
  family own;
  assert_int_equal(pipe(own.wake), 0);
  assert_int_equal(pipe(own.tell), 0);
  assert_int_equal(child_run(be_a_parent, &own), 0);
  struct pollfd fd = {.fd = own.tell[0], .events = POLLIN};
  assert_int_equal(poll(&fd, 1, (int)(within(20) * 1000)), 1);
  char byte;
  assert_int_equal(read(own.tell[0], &byte, 1), 1);
  assert_int_equal(byte, 'o');
  for (int i = 0; i < 2; i++) {
    close(own.wake[i]);
    close(own.tell[i]);
  }
}

/* Not our parent any more, whatever has its number. */
static int watch_another(void *context) {
  return fut_process_watch_parent(*(pid_t *)context, -1) == FUT_OK ? 0 : 1;
}

static void no_parent(void **unused) {
  (void)unused;
  pid_t someone = 1;
  assert_int_equal(child_run(watch_another, &someone), 0);
}

static const struct CMUnitTest process_tests[] = {
    CASE("the exit code tells how it ended", exit_codes),
    CASE("so does the signal that killed it", signals),
    CASE("a program that cannot be started is an error, and no leak",
         not_found),
    CASE("it is not buried alive", lives),
    CASE("a signal reaches it, and nobody when it has ended", signalled),
    CASE("a stopped one has not ended, and can be killed", stopped),
    CASE("a host that takes the exit status is blamed", taken_by_the_host),
    CASE("nothing is left of those that were buried", nothing_left),
    CASE("it finds no input, and the signals of a fresh program", surroundings),
    CASE("it has what is passed, under the same number, nothing else", passed),
    CASE("it closes what it was not given, and ignores Ctrl-C", settled),
    CASE("it learns that its parent has ended, and of calls before",
         parents_end),
    CASE("it learns that its parent had ended before it looked", no_parent),
};

int main(void) { return cmocka_run_group_tests(process_tests, NULL, NULL); }
