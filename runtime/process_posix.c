/* process_posix.c - a child process: started and described */
#include "process.h"

#include "process_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int fut_process_prepare(fut_process *process) {
  return fut_process_watch_prepare(process);
}

static int file_actions(posix_spawn_file_actions_t *actions, const int *passed,
                        size_t count) {
  int failed = posix_spawn_file_actions_init(actions);
  if (failed)
    return failed;
  failed =
      posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
  /* onto itself: that takes the mark off that closes it on exec */
  for (size_t i = 0; i < count && !failed; i++)
    if (passed[i] >= 0)
      failed = posix_spawn_file_actions_adddup2(actions, passed[i], passed[i]);
  if (failed)
    posix_spawn_file_actions_destroy(actions);
  return failed;
}

static int attributes(posix_spawnattr_t *attributes) {
  int failed = posix_spawnattr_init(attributes);
  if (failed)
    return failed;
  sigset_t none, all;
  sigfillset(&all);
  sigemptyset(&none);
  sigaddset(&none, SIGINT); /* until it is ignored */
  failed = posix_spawnattr_setsigmask(attributes, &none);
  if (!failed)
    failed = posix_spawnattr_setsigdefault(attributes, &all);
  if (!failed)
    failed = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF);
  if (failed)
    posix_spawnattr_destroy(attributes);
  return failed;
}

int fut_process_start(fut_process *process, const char *program,
                      char *const *arguments, const int *passed, size_t count) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  int failed = attributes(&how);
  if (failed)
    goto drop_watch;
  failed = file_actions(&files, passed, count);
  if (failed)
    goto free_attributes;
  failed =
      posix_spawn(&process->pid, program, &files, &how, arguments, environ);
  posix_spawn_file_actions_destroy(&files);
free_attributes:
  posix_spawnattr_destroy(&how);
  if (!failed)
    failed = fut_process_watch_begin(process);
drop_watch:
  if (failed)
    fut_process_watch_drop(process);
  return failed;
}

bool fut_process_bury(fut_process *process, fut_process_end *end) {
  if (!fut_process_watch_ended(process))
    return false;
  int status;
  pid_t pid;
  do
    pid = waitpid(process->pid, &status, WNOHANG);
  while (pid < 0 && errno == EINTR);
  if (pid == 0)
    return false; /* in an instant */
  *end = (fut_process_end){FUT_END_UNKNOWN, 0};
  if (pid == process->pid && WIFEXITED(status))
    *end = (fut_process_end){FUT_END_EXIT, WEXITSTATUS(status)};
  else if (pid == process->pid && WIFSIGNALED(status))
    *end = (fut_process_end){FUT_END_SIGNAL, WTERMSIG(status)};
  fut_process_watch_drop(process);
  return true;
}

void fut_process_end_text(const fut_process_end *end, char *text, size_t size) {
  switch (end->how) {
  case FUT_END_EXIT:
    snprintf(text, size, "exited with code %d", end->code);
    break;
  case FUT_END_SIGNAL:
    snprintf(text, size, "killed by signal %d", end->code);
    break;
  case FUT_END_UNKNOWN:
    snprintf(text, size, "ended (exit status taken by the host)");
    break;
  }
}

/* Return the first descriptor from fd on that is kept, INT_MAX if none is. */
static int next_kept(int fd, const int *kept, size_t count) {
  int next = INT_MAX;
  for (size_t i = 0; i < count; i++)
    if (kept[i] >= fd && kept[i] < next)
      next = kept[i];
  return next;
}

void fut_process_limit_memory(size_t bytes) {
#if !defined(FUT_ASAN) && !defined(FUT_TSAN) /* these take terabytes */
  struct rlimit limit;
  if (getrlimit(RLIMIT_DATA, &limit) != 0 || bytes >= limit.rlim_cur)
    return;
  limit.rlim_cur = bytes;
  setrlimit(RLIMIT_DATA, &limit);
#else
  (void)bytes;
#endif
}

void fut_process_settle(const int *kept, size_t count) {
  int fd = 3, next;
  while ((next = next_kept(fd, kept, count)) < INT_MAX) {
    if (next > fd)
      fut_process_close(fd, next - 1);
    fd = next + 1;
  }
  fut_process_close(fd, INT_MAX);
  fut_process_keep_memory();
  signal(SIGINT, SIG_IGN); /* Ctrl-C is for the parent, which ends us */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}
