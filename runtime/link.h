/* link.h - tasks handed to one worker, which others may take back */
#ifndef FUT_LINK_H
#define FUT_LINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUT_LINK_SIZE 64u

/* A ring with one feeder and any number of takers: the worker itself, and
   those that take from it because they are idle or hurried. It holds tickets,
   numbers that mean a task to its users, and no pointers of its own, so it
   works wherever its memory lies. A ticket is taken by exactly one taker. */
typedef struct fut_link {
  atomic_uint taken; /* atomic: tickets ever taken */
  char apart[64];    /* two cache lines */
  atomic_uint fed;   /* atomic, feeder only writes: ever fed */
  _Atomic uint64_t tickets[FUT_LINK_SIZE]; /* atomic, feeder only writes */
} fut_link;

void fut_link_init(fut_link *link);

/* Return how many more tickets fit now. Feeder only. */
unsigned fut_link_room(const fut_link *link);

/* Put a ticket in. Requires room. Feeder only. */
void fut_link_feed(fut_link *link, uint64_t ticket);

/* Take the oldest ticket: false if there is none. Any thread. */
bool fut_link_take(fut_link *link, uint64_t *ticket);

/* Return how many tickets were ever taken, modulo 2^32: whether it goes on. */
unsigned fut_link_taken(const fut_link *link);

/* Return how many tickets are in the link, as of some moment in this call.
   Any thread. */
unsigned fut_link_count(const fut_link *link);

#endif
