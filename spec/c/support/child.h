/* child.h - what can be tried only in a process of its own */
#ifndef SPEC_CHILD_H
#define SPEC_CHILD_H

#include <sys/wait.h>
#include <unistd.h>

/* Run work(context) in a forked process, whose exit status is what it returns.
   Requires a single thread. */
static inline pid_t child_start(int (*work)(void *context), void *context) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(work(context));
  return pid;
}

/* Wait for its end; return how that came, as wait() says. */
static inline int child_wait(pid_t pid) {
  int status = -1;
  return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static inline int child_run(int (*work)(void *context), void *context) {
  return child_wait(child_start(work, context));
}

#endif
