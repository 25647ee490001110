/* descriptors.h - how many descriptors this process has open */
#ifndef SPEC_DESCRIPTORS_H
#define SPEC_DESCRIPTORS_H

#include <fcntl.h>
#include <stdbool.h>

/* Whether the descriptor is open. */
static inline bool descriptor_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/* Whether it is open, and closed on exec. */
static inline bool descriptor_private(int fd) {
  int flags = fcntl(fd, F_GETFD);
  return flags >= 0 && (flags & FD_CLOEXEC);
}

static inline unsigned descriptors(void) {
  unsigned count = 0;
  for (int fd = 0; fd < 4096; fd++)
    count += descriptor_open(fd);
  return count;
}

#endif
