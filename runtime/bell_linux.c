/* bell_linux.c - a bell is a futex in shared memory */
#include "bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

fut_err fut_bell_cord_open(fut_bell_cord *cord) {
  *cord = (fut_bell_cord){-1, -1};
  return FUT_OK;
}

void fut_bell_cord_close(fut_bell_cord *cord) { (void)cord; }

bool fut_bell_cordless(void) { return true; }

void fut_bell_ring(fut_bell *bell, const fut_bell_cord *cord) {
  (void)cord;
  atomic_fetch_add(&bell->rung, 1);
  if (atomic_load(&bell->asleep))
    syscall(SYS_futex, &bell->rung, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void fut_bell_wait(fut_bell *bell, const fut_bell_cord *cord, unsigned rung,
                   fut_deadline deadline) {
  (void)cord;
  int64_t left = fut_deadline_left(deadline);
  if (left == 0)
    return;
  struct timespec ts = {.tv_sec = left / 1000000000,
                        .tv_nsec = left % 1000000000};
  atomic_store(&bell->asleep, true);
  syscall(SYS_futex, &bell->rung, FUTEX_WAIT, rung,
          left == INT64_MAX ? NULL : &ts, NULL, 0);
  atomic_store(&bell->asleep, false);
}
