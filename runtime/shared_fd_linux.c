/* shared_fd_linux.c - a file in memory is a memfd */
#include "shared_fd.h"

#include <sys/mman.h>

int fut_shared_fd(void) { return memfd_create("futures", MFD_CLOEXEC); }
