/* process_linux.c - a pidfd tells that another process has ended */
#include "process_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_pidfd(pid_t pid) {
  return (int)syscall(SYS_pidfd_open, pid, 0); /* closed on exec */
}

int fut_process_watch_prepare(fut_process *process) {
  process->watch = process->lease = -1;
  return 0;
}

int fut_process_watch_begin(fut_process *process) {
  /* it cannot be another process: it is ours until we wait for it. Where the
     host ignores SIGCHLD it may be gone already: ESRCH. */
  process->watch = open_pidfd(process->pid);
  if (process->watch >= 0)
    return 0;
  int failed = errno;
  kill(process->pid, SIGKILL);
  waitpid(process->pid, NULL, 0);
  return failed;
}

static bool ended(int pidfd) {
  struct pollfd fd = {.fd = pidfd, .events = POLLIN};
  return poll(&fd, 1, 0) > 0;
}

bool fut_process_watch_ended(const fut_process *process) {
  return ended(process->watch);
}

void fut_process_watch_drop(fut_process *process) {
  if (process->watch >= 0)
    close(process->watch);
  process->watch = -1;
}

void fut_process_signal(const fut_process *process, int signal) {
  syscall(SYS_pidfd_send_signal, process->watch, signal, NULL, 0);
}

/* Return the highest descriptor that may be open. */
static int last_descriptor(void) {
  int last = 2;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL)
    return 1023;
  struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    int fd = atoi(entry->d_name);
    if (fd > last)
      last = fd;
  }
  closedir(folder);
  return last;
}

void fut_process_keep_memory(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
  mallopt(M_TOP_PAD, 256 << 10);
#endif
}

void fut_process_close(int first, int last) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, first, last, 0) == 0)
    return;
#endif
  if (last == INT_MAX) /* a kernel before 5.9 */
    last = last_descriptor();
  for (int fd = first; fd <= last; fd++)
    close(fd);
}

fut_err fut_process_watch_parent(pid_t pid, int descriptor) {
  static int pidfd = -1; /* of the only thread that asks */
  if (pidfd < 0)
    pidfd = open_pidfd(pid);
  struct pollfd fds[] = {{.fd = descriptor, .events = POLLIN},
                         {.fd = pidfd, .events = POLLIN}};
  for (;;) {
    if (getppid() != pid) /* it ended before, the number may be another's */
      return FUT_OK;
    /* without a pidfd (no descriptor, an old kernel): look now and then */
    int ready = poll(fds, 2, pidfd < 0 ? 250 : -1);
    if (ready > 0)
      return fds[1].revents ? FUT_OK : FUT_EAGAIN;
  }
}
