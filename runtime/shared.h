/* shared.h - memory that this process shares with its workers, and nobody else
 */
#ifndef FUT_SHARED_H
#define FUT_SHARED_H

#include "error.h"

#include <stddef.h>

/* A mapping. Embedded by its owner. */
typedef struct fut_shared {
  void *base;  /* page aligned; zeros when it is new */
  size_t size; /* in bytes */
  int fd;      /* closed on exec; to be passed on; no name leads to it */
} fut_shared;

/* Make a mapping of so many bytes, which the system reserves now. FUT_ENOMEM:
   no memory, no descriptor. */
fut_err fut_shared_new(fut_shared *shared, size_t size);

/* The same, of which the system reserves only the first so many bytes now. */
fut_err fut_shared_new_part(fut_shared *shared, size_t size, size_t reserved);

/* Have the system reserve so many bytes more, from that one on, before they are
   written to. FUT_ENOMEM. */
fut_err fut_shared_reserve(const fut_shared *shared, size_t from, size_t size);

/* In a worker: map what fd, which is taken over, stands for. FUT_ENOMEM. */
fut_err fut_shared_open(fut_shared *shared, int fd);

/* Requires that no thread of this process uses the memory. */
void fut_shared_close(fut_shared *shared);

#endif
