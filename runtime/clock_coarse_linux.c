/* clock_coarse_linux.c - the time of the last tick, without asking a device */
#include "clock.h"

#include <time.h>

fut_deadline fut_clock_coarse(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
  return (fut_deadline)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
