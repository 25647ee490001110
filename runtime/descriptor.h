/* descriptor.h - descriptors that can be passed on */
#ifndef FUT_DESCRIPTOR_H
#define FUT_DESCRIPTOR_H

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* Return a descriptor of the same that is none of stdin, stdout and stderr,
   which a host may have closed; fd is given up. Closed on exec. -1 for -1, or
   if there is none to be had. */
static inline int fut_descriptor_above(int fd) {
  if (fd < 0 || fd > 2)
    return fd;
  int above = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  close(fd);
  return above;
}

/* Make a pipe of two such descriptors, the end to read from first; false: there
   are none to be had. */
static inline bool fut_descriptor_pipe(int ends[2]) {
  if (pipe(ends) != 0)
    return false;
  for (int i = 0; i < 2; i++) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    ends[i] = fut_descriptor_above(ends[i]);
  }
  if (ends[0] >= 0 && ends[1] >= 0)
    return true;
  for (int i = 0; i < 2; i++)
    if (ends[i] >= 0)
      close(ends[i]);
  return false;
}

#endif
