/* clock_posix.c - monotonic time from POSIX */
#include "clock.h"

#include <time.h>

fut_deadline fut_clock_now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (fut_deadline)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

fut_deadline fut_deadline_after(double seconds) {
  if (seconds <= 0)
    return FUT_POLL;
  if (seconds >= 4e9) /* about 126 years */
    return FUT_NEVER;
  return fut_clock_now() + (fut_deadline)(seconds * 1e9);
}

int64_t fut_deadline_left(fut_deadline deadline) {
  if (deadline == FUT_NEVER)
    return INT64_MAX;
  if (deadline == FUT_POLL)
    return 0;
  int64_t left = deadline - fut_clock_now();
  return left > 0 ? left : 0;
}
