/* event_linux.c - an event is an eventfd */
#include "event.h"

#include "descriptor.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

fut_err fut_event_open(fut_event *event) {
  int fd = fut_descriptor_above(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (fd < 0)
    return FUT_ENOMEM;
  event->readable = event->writable = fd;
  return FUT_OK;
}

void fut_event_close(fut_event *event) { close(event->readable); }

void fut_event_set(fut_event *event) {
  uint64_t one = 1;
  ssize_t written = write(event->writable, &one, sizeof one);
  (void)written; /* can fail only when it is set to the brim */
}

void fut_event_clear(fut_event *event) {
  uint64_t count;
  ssize_t got = read(event->readable, &count, sizeof count);
  (void)got; /* fails when it was not set */
}
