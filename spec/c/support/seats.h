/* seats.h - what a pool and its workers share, without either */
#ifndef SPEC_SEATS_H
#define SPEC_SEATS_H

#include "segment.h"

#include <stdlib.h>
#include <string.h>

/* Return a segment with so many seats, to be freed. */
static inline fut_segment *segment_new(unsigned seats) {
  size_t size = sizeof(fut_segment) + seats * sizeof(fut_seat);
  return memset(aligned_alloc(_Alignof(fut_segment), size), 0, size);
}

#endif
