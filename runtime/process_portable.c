/* process_portable.c - a pipe tells that another process has ended: its last
   writer is gone */
#include "process_watch.h"

#include "descriptor.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define LOOK_MS 250 /* how often a child looks for its parent */

int fut_process_watch_prepare(fut_process *process) {
  int ends[2];
  process->watch = process->lease = -1;
  if (!fut_descriptor_pipe(ends))
    return EMFILE;
  process->watch = ends[0];
  process->lease = ends[1];
  return 0;
}

int fut_process_watch_begin(fut_process *process) {
  close(process->lease);
  process->lease = -1;
  return 0;
}

bool fut_process_watch_ended(const fut_process *process) {
  struct pollfd fd = {.fd = process->watch, .events = POLLIN};
  return poll(&fd, 1, 0) > 0;
}

void fut_process_watch_drop(fut_process *process) {
  if (process->watch >= 0)
    close(process->watch);
  if (process->lease >= 0)
    close(process->lease);
  process->watch = process->lease = -1;
}

void fut_process_signal(const fut_process *process, int signal) {
  /* ours until we wait for it, unless the host has: then it has ended */
  if (!fut_process_watch_ended(process))
    kill(process->pid, signal);
}

void fut_process_keep_memory(void) {}

void fut_process_close(int first, int last) {
  long limit = sysconf(_SC_OPEN_MAX);
  if (last == INT_MAX)
    last = limit > 0 && limit < 65536 ? (int)limit - 1 : 65535;
  for (int fd = first; fd <= last; fd++)
    close(fd);
}

fut_err fut_process_watch_parent(pid_t pid, int descriptor) {
  struct pollfd fd = {.fd = descriptor, .events = POLLIN};
  while (getppid() == pid)
    if (poll(&fd, 1, LOOK_MS) > 0)
      return FUT_EAGAIN;
  return FUT_OK;
}
