/* shared_fd_portable.c - a file in memory is a shared memory object, whose name
   is taken away as soon as it is open */
#include "shared_fd.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_uint made; /* atomic: names tried */

int fut_shared_fd(void) {
  for (int tries = 0; tries < 100; tries++) {
    char name[32]; /* macOS takes 31 characters */
    snprintf(name, sizeof name, "/fut.%lx.%x.%x", (unsigned long)getpid(),
             atomic_fetch_add(&made, 1) & 0xffffu,
             (unsigned)fut_clock_now() & 0xffffffu);
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd >= 0) {
      shm_unlink(name);
      fcntl(fd, F_SETFD, FD_CLOEXEC);
      return fd;
    }
    if (errno != EEXIST)
      return -1;
  }
  return -1;
}
