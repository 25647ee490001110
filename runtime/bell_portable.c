/* bell_portable.c - a bell is a word in shared memory, and a pipe */
#include "bell.h"

#include "descriptor.h"

#include <limits.h>
#include <poll.h>

fut_err fut_bell_cord_open(fut_bell_cord *cord) {
  int ends[2];
  if (!fut_descriptor_pipe(ends))
    return FUT_ENOMEM;
  for (int i = 0; i < 2; i++)
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  *cord = (fut_bell_cord){ends[0], ends[1]};
  return FUT_OK;
}

void fut_bell_cord_close(fut_bell_cord *cord) {
  if (cord->sleeper >= 0)
    close(cord->sleeper);
  if (cord->ringer >= 0)
    close(cord->ringer);
}

bool fut_bell_cordless(void) { return false; }

void fut_bell_ring(fut_bell *bell, const fut_bell_cord *cord) {
  atomic_fetch_add(&bell->rung, 1);
  if (atomic_load(&bell->asleep)) {
    ssize_t written = write(cord->ringer, "", 1);
    (void)written; /* fails only when the pipe is full of rings */
  }
}

void fut_bell_wait(fut_bell *bell, const fut_bell_cord *cord, unsigned rung,
                   fut_deadline deadline) {
  int64_t left = fut_deadline_left(deadline);
  if (left == 0)
    return;
  int64_t ms = left == INT64_MAX ? -1 : left / 1000000 + 1;
  atomic_store(&bell->asleep, true);
  if (atomic_load(&bell->rung) == rung) {
    struct pollfd fd = {.fd = cord->sleeper, .events = POLLIN};
    poll(&fd, 1, ms > INT_MAX ? INT_MAX : (int)ms);
  }
  atomic_store(&bell->asleep, false);
  char rings[64];
  while (read(cord->sleeper, rings, sizeof rings) > 0)
    ;
}
