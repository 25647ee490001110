/* blocks.h - small blocks of memory for one thread, whose sizes their user
   knows

   An interpreter makes and frees small objects all the time, and says of each
   that it frees how large it is. That needs no header before a block and no
   search for one: blocks of a size lie together in slabs, and a slab without
   blocks serves another size. The first blocks of all lie in a nursery, so that
   a small interpreter takes a few pages. */
#ifndef FUT_BLOCKS_H
#define FUT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

enum {
  FUT_BLOCK_GRAIN = 16,  /* sizes are rounded up to these */
  FUT_BLOCK_SMALL = 256, /* what is larger is left to the C library */
  FUT_BLOCK_SIZES = FUT_BLOCK_SMALL / FUT_BLOCK_GRAIN,
  FUT_BLOCK_SLAB = 32 << 10,    /* bytes of a slab, and its alignment */
  FUT_BLOCK_NURSERY = 48 << 10, /* bytes of the nursery */
};

/* Embedded by its owner. */
typedef struct fut_blocks {
  struct fut_block *freed[FUT_BLOCK_SIZES]; /* in the nursery */
  struct fut_slab *slabs[FUT_BLOCK_SIZES];  /* those with room */
  unsigned char *nursery;                   /* NULL before the first block */
  size_t nursery_used;
  struct fut_region *regions; /* with slabs that no size has */
  unsigned spares;            /* of those, which have no others */
  struct fut_block *strays;   /* small ones that lie where they were large */
} fut_blocks;

void fut_blocks_init(fut_blocks *blocks);
/* Requires that every block was freed. */
void fut_blocks_fini(fut_blocks *blocks);

/* As realloc(), with the old size told: block is NULL for a new one, size is 0
   to free. NULL: no memory, and the old block is as it was; never when it
   becomes smaller. */
void *fut_blocks_resize(fut_blocks *blocks, void *block, size_t old,
                        size_t size);

#endif
