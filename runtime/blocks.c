/* blocks.c - small blocks of memory for one thread, whose sizes their user
   knows

   A slab is aligned to its size, so that a block leads to it; slabs are parts
   of regions, as the C library leaves gaps where it has to align. Blocks that
   were never used follow each other; freed ones are a list. A block that
   becomes small where no slab is to be had stays where it is, a stray: then it
   has its link behind what a small one needs. */
#include "blocks.h"

#include "check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  SLABS = 16, /* of a region */
  SPARES = 4, /* regions without blocks that are kept: 2 MB */
  HEAD = 64,  /* bytes of a slab before its blocks */
  LARGE = FUT_BLOCK_SMALL + FUT_BLOCK_GRAIN /* room for a stray's link */
};

#define ALL ((1u << SLABS) - 1)

typedef struct fut_block {
  struct fut_block *next;
} fut_block;

typedef struct fut_region {
  struct fut_region *next, *before; /* of those with free slabs */
  unsigned char *slabs;
  unsigned free; /* a bit for each slab that is */
} fut_region;

typedef struct fut_slab {
  struct fut_slab *next,
      *before; /* of those with room for blocks of its size */
  fut_block *freed;
  unsigned char *fresh, *end; /* what was never used */
  fut_region *region;
  unsigned short size; /* of a block */
  unsigned short used; /* blocks */
  bool listed;         /* it has room */
} fut_slab;

_Static_assert(sizeof(fut_slab) <= HEAD, "a slab's head");

void fut_blocks_init(fut_blocks *blocks) { memset(blocks, 0, sizeof *blocks); }

void fut_blocks_fini(fut_blocks *blocks) {
  CHECK(blocks->strays == NULL);
  for (int i = 0; i < FUT_BLOCK_SIZES; i++)
    CHECK(blocks->slabs[i] == NULL);
  while (blocks->regions) {
    fut_region *region = blocks->regions;
    CHECK(region->free == ALL);
    blocks->regions = region->next;
    free(region->slabs);
    free(region);
  }
  free(blocks->nursery);
}

static unsigned kind_of(size_t size) {
  return (unsigned)((size - 1) / FUT_BLOCK_GRAIN);
}

static bool is_small(size_t size) { return size <= FUT_BLOCK_SMALL; }

/* --- slabs ------------------------------------------------------------------
 */

static void enlist(fut_blocks *blocks, fut_slab *slab) {
  fut_slab **first = &blocks->slabs[kind_of(slab->size)];
  slab->next = *first;
  slab->before = NULL;
  if (*first)
    (*first)->before = slab;
  *first = slab;
  slab->listed = true;
}

static void strike(fut_blocks *blocks, fut_slab *slab) {
  if (slab->before)
    slab->before->next = slab->next;
  else
    blocks->slabs[kind_of(slab->size)] = slab->next;
  if (slab->next)
    slab->next->before = slab->before;
  slab->listed = false;
}

static void enlist_region(fut_blocks *blocks, fut_region *region) {
  region->next = blocks->regions;
  region->before = NULL;
  if (blocks->regions)
    blocks->regions->before = region;
  blocks->regions = region;
}

static void strike_region(fut_blocks *blocks, fut_region *region) {
  if (region->before)
    region->before->next = region->next;
  else
    blocks->regions = region->next;
  if (region->next)
    region->next->before = region->before;
}

/* Return a region with a free slab, or NULL. */
static fut_region *have_region(fut_blocks *blocks) {
  if (blocks->regions)
    return blocks->regions;
  fut_region *region = malloc(sizeof *region);
  void *slabs;
  if (region == NULL)
    return NULL;
  if (posix_memalign(&slabs, FUT_BLOCK_SLAB, SLABS * FUT_BLOCK_SLAB) != 0) {
    free(region);
    return NULL;
  }
  region->slabs = slabs;
  region->free = ALL;
  blocks->spares++;
  enlist_region(blocks, region);
  return region;
}

static fut_slab *new_slab(fut_blocks *blocks, size_t size) {
  fut_region *region = have_region(blocks);
  if (region == NULL)
    return NULL;
  unsigned at = 0;
  while (!(region->free >> at & 1))
    at++;
  blocks->spares -= region->free == ALL;
  region->free &= ~(1u << at);
  if (region->free == 0)
    strike_region(blocks, region);
  fut_slab *slab =
      (fut_slab *)(void *)(region->slabs + (size_t)at * FUT_BLOCK_SLAB);
  unsigned char *fresh = (unsigned char *)slab + HEAD;
  *slab = (fut_slab){.fresh = fresh,
                     .end = fresh + (FUT_BLOCK_SLAB - HEAD) / size * size,
                     .region = region,
                     .size = (unsigned short)size};
  enlist(blocks, slab);
  return slab;
}

/* A slab has no blocks any more. */
static void let_go(fut_blocks *blocks, fut_slab *slab) {
  fut_region *region = slab->region;
  size_t at = (size_t)((unsigned char *)slab - region->slabs) / FUT_BLOCK_SLAB;
  strike(blocks, slab);
  if (region->free == 0)
    enlist_region(blocks, region);
  region->free |= 1u << at;
  if (region->free != ALL)
    return;
  if (blocks->spares == SPARES) {
    strike_region(blocks, region);
    free(region->slabs);
    free(region);
  } else
    blocks->spares++;
}

static void *take(fut_blocks *blocks, fut_slab *slab) {
  void *block = slab->freed;
  if (block)
    slab->freed = slab->freed->next;
  else {
    block = slab->fresh;
    slab->fresh += slab->size;
  }
  slab->used++;
  if (slab->freed == NULL && slab->fresh == slab->end)
    strike(blocks, slab);
  return block;
}

/* --- blocks -----------------------------------------------------------------
 */

static bool in_nursery(const fut_blocks *blocks, const void *block) {
  return (uintptr_t)block - (uintptr_t)blocks->nursery < FUT_BLOCK_NURSERY &&
         blocks->nursery != NULL;
}

/* Return a block that was never used, from the nursery or a new slab. */
static void *take_fresh(fut_blocks *blocks, size_t size) {
  if (blocks->nursery == NULL)
    blocks->nursery = malloc(FUT_BLOCK_NURSERY);
  if (blocks->nursery && FUT_BLOCK_NURSERY - blocks->nursery_used >= size) {
    void *block = blocks->nursery + blocks->nursery_used;
    blocks->nursery_used += size;
    return block;
  }
  fut_slab *slab = new_slab(blocks, size);
  return slab ? take(blocks, slab) : NULL;
}

static void *small_new(fut_blocks *blocks, size_t size) {
  unsigned kind = kind_of(size);
  fut_block *block = blocks->freed[kind];
  if (block) {
    blocks->freed[kind] = block->next;
    return block;
  }
  fut_slab *slab = blocks->slabs[kind];
  return slab ? take(blocks, slab)
              : take_fresh(blocks, (size_t)(kind + 1) * FUT_BLOCK_GRAIN);
}

static fut_block *link_of(void *stray) {
  return (fut_block *)(void *)((unsigned char *)stray + FUT_BLOCK_SMALL);
}

/* Free a block if it is a stray. */
static bool free_stray(fut_blocks *blocks, void *block) {
  fut_block *link = link_of(block), **at = &blocks->strays;
  while (*at && *at != link)
    at = &(*at)->next;
  if (*at == NULL)
    return false;
  *at = link->next;
  free(block);
  return true;
}

static void small_free(fut_blocks *blocks, void *place, size_t size) {
  fut_block *block = place;
  if (blocks->strays && free_stray(blocks, place))
    return;
  if (in_nursery(blocks, place)) {
    unsigned kind = kind_of(size);
    block->next = blocks->freed[kind];
    blocks->freed[kind] = block;
    return;
  }
  fut_slab *slab =
      (fut_slab *)((uintptr_t)place & ~(uintptr_t)(FUT_BLOCK_SLAB - 1));
  block->next = slab->freed;
  slab->freed = block;
  if (!slab->listed)
    enlist(blocks, slab);
  if (--slab->used == 0)
    let_go(blocks, slab);
}

static void *large_new(size_t size) {
  return malloc(size < LARGE ? LARGE : size);
}

/* A large block has become small, and there is no memory for a small one. */
static void *keep_stray(fut_blocks *blocks, void *block) {
  fut_block *link = link_of(block);
  link->next = blocks->strays;
  blocks->strays = link;
  return block;
}

static void release(fut_blocks *blocks, void *block, size_t old) {
  if (is_small(old))
    small_free(blocks, block, old);
  else
    free(block);
}

/* Have another block, as they are not of a kind. */
static void *move(fut_blocks *blocks, void *block, size_t old, size_t size) {
  void *other = is_small(size) ? small_new(blocks, size) : large_new(size);
  if (other) {
    memcpy(other, block, old < size ? old : size);
    release(blocks, block, old);
    return other;
  }
  if (size > old)
    return NULL;
  return is_small(old) ? block : keep_stray(blocks, block);
}

void *fut_blocks_resize(fut_blocks *blocks, void *block, size_t old,
                        size_t size) {
  if (block == NULL)
    return size == 0        ? NULL
           : is_small(size) ? small_new(blocks, size)
                            : large_new(size);
  if (size == 0) {
    if (old > 0) /* some libraries do not say: then it is lost */
      release(blocks, block, old);
    return NULL;
  }
  CHECK(old > 0);
  if (is_small(old) && is_small(size))
    return kind_of(old) == kind_of(size) ? block
                                         : move(blocks, block, old, size);
  if (is_small(old) || is_small(size))
    return move(blocks, block, old, size);
  void *grown = realloc(block, size < LARGE ? LARGE : size);
  return grown == NULL && size <= old ? block : grown;
}
