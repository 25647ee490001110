/* child.h - what can be tried only in a process of its own */
#ifndef SPEC_CHILD_H
#define SPEC_CHILD_H

#include <sys/wait.h>
#include <unistd.h>

/* Run work(context) in a forked process and return how that ended, as wait()
   says; its exit status is what work returns. Requires a single thread. */
static inline int child_run(int (*work)(void *context), void *context) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(work(context));
  int status = -1;
  if (pid < 0 || waitpid(pid, &status, 0) != pid)
    return -1;
  return status;
}

#endif
