/* content.h - the bytes of a message, small ones in place */
#ifndef FUT_CONTENT_H
#define FUT_CONTENT_H

#include "job.h"

enum { CONTENT_SPACE = 14 }; /* enough for one number of any kind */

/* Embedded; of any alignment. Belongs to one thread at a time; its owner says
   to which. */
typedef struct content {
  unsigned char kind; /* bytes in space, or another kind (content.c) */
  unsigned char space[CONTENT_SPACE];
} content;

/* Make it empty. */
static inline void content_init(content *c) { c->kind = 0; }

/* Move the message, which is empty then, into what is empty. Return how many
   bytes of memory that took, or SIZE_MAX if memory ran out. Any thread. */
size_t content_take(content *c, wire_message *message);

/* Let go of what it holds. Return how many bytes of memory were freed. Any
   thread. */
size_t content_drop(content *c);

/* Return the message that it holds; borrowed. */
job_content content_message(const content *c);

/* Make the empty content the outcome of a task for which memory ran out; that
   takes none. */
void content_put_no_memory(content *c);

#endif
