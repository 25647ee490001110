/* ledger.h - an allocator that counts its blocks and can run out of memory */
#ifndef SPEC_LEDGER_H
#define SPEC_LEDGER_H

#include "memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct ledger {
  atomic_long blocks; /* atomic: in use */
  atomic_long made;   /* atomic: ever made */
  atomic_long left;   /* atomic: how many more may be made; negative: any */
} ledger;

static inline void *ledger_call(void *context, void *block, size_t size) {
  ledger *book = context;
  if (size == 0) {
    atomic_fetch_sub(&book->blocks, 1);
    free(block);
    return NULL;
  }
  long left = atomic_load(&book->left);
  while (left > 0 &&
         !atomic_compare_exchange_weak(&book->left, &left, left - 1))
    ;
  if (left == 0)
    return NULL;
  void *made = realloc(block, size);
  if (made && block == NULL) {
    atomic_fetch_add(&book->blocks, 1);
    atomic_fetch_add(&book->made, 1);
  }
  return made;
}

/* Let the library allocate from now on through a new ledger. */
static inline void ledger_open(ledger *book) {
  atomic_init(&book->blocks, 0);
  atomic_init(&book->made, 0);
  atomic_init(&book->left, -1);
  fut_memory_set(ledger_call, book);
}

/* Allow so many more blocks and then none; negative: as many as one likes. */
static inline void ledger_allow(ledger *book, long blocks) {
  atomic_store(&book->left, blocks);
}

/* Restore the allocator; return how many blocks were never freed. */
static inline long ledger_close(ledger *book) {
  fut_memory_set(NULL, NULL);
  return atomic_load(&book->blocks);
}

#endif
