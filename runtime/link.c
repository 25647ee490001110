/* link.c - tasks handed to one worker, which others may take back

   `taken` and `fed` only grow (and wrap together). A taker reads the ticket
   and then claims it by moving `taken` on; if that fails, the ticket may have
   been overwritten and is not used. */
#include "link.h"

#include "check.h"

void fut_link_init(fut_link *link) {
  atomic_init(&link->taken, 0);
  atomic_init(&link->fed, 0);
  for (unsigned i = 0; i < FUT_LINK_SIZE; i++)
    atomic_init(&link->tickets[i], 0);
}

unsigned fut_link_taken(const fut_link *link) {
  return atomic_load(&link->taken);
}

unsigned fut_link_count(const fut_link *link) {
  /* taken first: it can only be behind fed, never ahead */
  unsigned taken = atomic_load(&link->taken);
  unsigned fed = atomic_load(&link->fed);
  unsigned count = fed - taken;
  return count <= FUT_LINK_SIZE ? count : FUT_LINK_SIZE;
}

unsigned fut_link_room(const fut_link *link) {
  return FUT_LINK_SIZE - fut_link_count(link);
}

void fut_link_feed(fut_link *link, uint64_t ticket) {
  /* relaxed: ours alone */
  unsigned fed = atomic_load_explicit(&link->fed, memory_order_relaxed);
  /* acquire: takers have read what we are about to overwrite (partner: the
     release in fut_link_take) */
  unsigned taken = atomic_load_explicit(&link->taken, memory_order_acquire);
  CHECK(fed - taken < FUT_LINK_SIZE);
  /* relaxed: published by fed */
  atomic_store_explicit(&link->tickets[fed % FUT_LINK_SIZE], ticket,
                        memory_order_relaxed);
  /* release: partner of the acquire in fut_link_take() */
  atomic_store_explicit(&link->fed, fed + 1, memory_order_release);
}

bool fut_link_take(fut_link *link, uint64_t *ticket) {
  unsigned taken = atomic_load_explicit(&link->taken, memory_order_acquire);
  for (;;) {
    if (atomic_load_explicit(&link->fed, memory_order_acquire) == taken)
      return false;
    uint64_t found = atomic_load_explicit(&link->tickets[taken % FUT_LINK_SIZE],
                                          memory_order_relaxed);
    if (atomic_compare_exchange_weak_explicit(&link->taken, &taken, taken + 1,
                                              memory_order_acq_rel,
                                              memory_order_acquire)) {
      *ticket = found;
      return true;
    }
  }
}
