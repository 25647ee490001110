/* event.h - a descriptor that is readable while it is set */
#ifndef FUT_EVENT_H
#define FUT_EVENT_H

#include "error.h"

/* Descriptors of one event: readable when set. The same one, or two. */
typedef struct fut_event {
  int readable;
  int writable;
} fut_event;

/* Make an event that is not set, closed on exec, not blocking.
   FUT_ENOMEM when the process has no descriptor to spare. */
fut_err fut_event_open(fut_event *event);

/* Requires that no thread uses the event. */
void fut_event_close(fut_event *event);

/* Make it readable. Any thread. Never blocks, also when set already. */
void fut_event_set(fut_event *event);

/* Make it unreadable. Never blocks. */
void fut_event_clear(fut_event *event);

#endif
