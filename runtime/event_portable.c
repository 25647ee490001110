/* event_portable.c - an event is a pipe */
#include "event.h"

#include "descriptor.h"

fut_err fut_event_open(fut_event *event) {
  int ends[2];
  if (!fut_descriptor_pipe(ends))
    return FUT_ENOMEM;
  for (int i = 0; i < 2; i++)
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  event->readable = ends[0];
  event->writable = ends[1];
  return FUT_OK;
}

void fut_event_close(fut_event *event) {
  close(event->readable);
  close(event->writable);
}

void fut_event_set(fut_event *event) {
  ssize_t written = write(event->writable, "!", 1);
  (void)written; /* fails when the pipe is full: it is set */
}

void fut_event_clear(fut_event *event) {
  char buffer[64];
  while (read(event->readable, buffer, sizeof buffer) == sizeof buffer)
    ;
}
