/* circle.h - no future is part of its own outcome, through others either */
#ifndef FUT_CIRCLE_H
#define FUT_CIRCLE_H

#include "future.h"
#include "wire_message.h"

/* What the written outcome of a future holds; count is 0 if it is not written,
   or without circle_enter(). Borrowed. */
typedef struct circle_links {
  fut_object *const *objects;
  size_t count;
} circle_links;

/* Whether the outcome holds futures at all, so that the rest is needed. */
bool circle_possible(const wire_message *outcome);

/* The lock: whoever writes such an outcome does so between these, after asking.
   Nothing is released in between. Any thread that holds no lock of the
   library. */
void circle_enter(void);
void circle_leave(void);

/* Whether the future would hold itself if the message became its outcome. True
   is the truth; of very many futures some are not looked at. Assumes the lock
   held. */
bool circle_closes(const fut_future *future, const wire_message *outcome);

#endif
