/* memory.h - where the library gets its memory, one replaceable allocator */
#ifndef FUT_MEMORY_H
#define FUT_MEMORY_H

#include <stddef.h>

/* Return a block of size bytes, or NULL if memory ran out. size > 0.
   Any thread. The caller owns it and ends it with fut_memory_free(). */
void *fut_memory_new(size_t size);

/* Change the size of a block, keeping what it holds; NULL makes a new one.
   On failure return NULL and leave the old block as it was. Any thread. */
void *fut_memory_resize(void *block, size_t size);

/* Requires a block of this allocator that nobody uses; NULL is ignored.
   Any thread. */
void fut_memory_free(void *block);

/* What every allocation goes through: block is NULL for a new one, size is 0
   to free; returns NULL when memory ran out. Must be callable by any thread
   and must not call back into the library. */
typedef void *fut_memory_function(void *context, void *block, size_t size);

/* Replace the allocator; NULL restores the C library's. Requires that no
   block of the old one is still in use. */
void fut_memory_set(fut_memory_function *function, void *context);

#endif
