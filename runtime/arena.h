/* arena.h - where the futures of one owner live: their memory and one lock */
#ifndef FUT_ARENA_H
#define FUT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/* Owned by one thread at a time (a Lua state, a C host). Its blocks all have
   one size and go from thread to thread; its lock guards who watches its
   futures. */
typedef struct fut_arena fut_arena;

/* Return an arena for blocks of so many bytes (1 to 4096), or NULL if memory
   ran out.
   The caller owns it and ends it with fut_arena_close(). */
fut_arena *fut_arena_new(size_t block_size);

/* Take no more blocks. The arena goes when the last block has come back.
   Owner only. Never blocks. */
void fut_arena_close(fut_arena *arena);

/* Return a block, not cleared, or NULL if memory ran out. Owner only. */
void *fut_arena_take(fut_arena *arena);

/* Give a block back: owned says that the caller is the owner. Any thread. */
void fut_arena_give(fut_arena *arena, void *block, bool owned);

/* Hold the lock. Requires a block of the arena that stays out meanwhile, or
   the owner. While it is held only locks of completion queues are taken. */
void fut_arena_lock(fut_arena *arena);
void fut_arena_unlock(fut_arena *arena);

#endif
