/* shared_posix.c - memory that this process shares with its workers */
#include "shared.h"

#include "descriptor.h"
#include "shared_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static fut_err map(fut_shared *shared, int fd, size_t size) {
  void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED)
    return FUT_ENOMEM;
  *shared = (fut_shared){.base = base, .size = size, .fd = fd};
  return FUT_OK;
}

/* Writing to what a full system cannot give raises SIGBUS. */
static fut_err reserve(int fd, size_t from, size_t size) {
#ifndef __APPLE__
  int failed;
  do
    failed = posix_fallocate(fd, (off_t)from, (off_t)size);
  while (failed == EINTR);
  if (failed && failed != EINVAL && failed != EOPNOTSUPP)
    return FUT_ENOMEM;
#endif
  return FUT_OK;
}

fut_err fut_shared_new_part(fut_shared *shared, size_t size, size_t reserved) {
  int fd = fut_descriptor_above(fut_shared_fd());
  if (fd < 0)
    return FUT_ENOMEM;
  fut_err err = ftruncate(fd, (off_t)size) == 0 ? FUT_OK : FUT_ENOMEM;
  if (err == FUT_OK)
    err = reserve(fd, 0, reserved);
  if (err == FUT_OK)
    err = map(shared, fd, size);
  if (err != FUT_OK)
    close(fd);
  return err;
}

fut_err fut_shared_new(fut_shared *shared, size_t size) {
  return fut_shared_new_part(shared, size, size);
}

fut_err fut_shared_reserve(const fut_shared *shared, size_t from, size_t size) {
  return reserve(shared->fd, from, size);
}

fut_err fut_shared_open(fut_shared *shared, int fd) {
  struct stat stat;
  if (fstat(fd, &stat) != 0 || stat.st_size <= 0)
    return FUT_ENOMEM;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return map(shared, fd, (size_t)stat.st_size);
}

void fut_shared_close(fut_shared *shared) {
  munmap(shared->base, shared->size);
  close(shared->fd);
}
