/* arena.c - where the futures of one owner live: their memory and one lock

   Blocks that the owner gives back go on its own free list; those from other
   threads on a stack that the owner takes whole (so there is no ABA).

   How long the arena itself lives: `away` is 0 until it is closed, but for
   the blocks that came back from other threads, one each. Closing subtracts
   all blocks that are not with the owner; whoever brings it to 0 is last. */
#include "arena.h"

#include "check.h"
#include "fork.h"
#include "memory.h"

#include <stdatomic.h>
#include <stdint.h>

#define CHUNK_SIZE ((size_t)16384)
#define LINE ((size_t)64) /* of a cache */

/* A block that nobody uses. */
struct spare {
  struct spare *next;
};

/* Memory cut into blocks, which follow it. */
struct chunk {
  struct chunk *next;
  max_align_t blocks[];
};

struct fut_arena {
  size_t block_size;    /* set once */
  struct spare *free;   /* owner only */
  char *fresh, *end;    /* owner only: the part of a chunk never used yet */
  struct chunk *chunks; /* owner only; whoever is last frees them */
  intptr_t out;         /* owner only: blocks taken less blocks given back */
  fut_mutex mutex;      /* what fut_arena_lock holds */
  fut_fork_guard guard; /* of mutex: a child's futures use it as well */
  char apart[64];       /* two cache lines */
  _Atomic(struct spare *) returned; /* atomic */
  atomic_intptr_t away;             /* atomic; see above */
};

fut_arena *fut_arena_new(size_t block_size) {
  CHECK(block_size > 0 && block_size <= CHUNK_SIZE / 4);
  fut_arena *arena = fut_memory_new(sizeof *arena);
  if (arena == NULL)
    return NULL;
  size_t unit = sizeof(max_align_t);
  arena->block_size = (block_size + unit - 1) / unit * unit;
  arena->free = NULL;
  arena->fresh = arena->end = NULL;
  arena->chunks = NULL;
  arena->out = 0;
  fut_mutex_init(&arena->mutex);
  fut_fork_guard_init(&arena->guard, &arena->mutex, FUT_FORK_ARENA);
  atomic_init(&arena->returned, NULL);
  atomic_init(&arena->away, 0);
  return arena;
}

static void destroy(fut_arena *arena) {
  struct chunk *chunk = arena->chunks;
  while (chunk) {
    struct chunk *next = chunk->next;
    fut_memory_free(chunk);
    chunk = next;
  }
  fut_fork_guard_fini(&arena->guard);
  fut_mutex_fini(&arena->mutex);
  fut_memory_free(arena);
}

void fut_arena_close(fut_arena *arena) {
  intptr_t out = arena->out;
  /* acq_rel: partner of the same in fut_arena_give() */
  if (atomic_fetch_sub_explicit(&arena->away, out, memory_order_acq_rel) == out)
    destroy(arena);
}

#ifdef FUT_ASAN
/* Let the sanitizer see each block as an allocation of its own. */

void *fut_arena_take(fut_arena *arena) {
  void *block = fut_memory_new(arena->block_size);
  if (block)
    arena->out++;
  return block;
}

static void keep(fut_arena *arena, void *block) {
  (void)arena;
  fut_memory_free(block);
}

static void send_back(fut_arena *arena, void *block) {
  (void)arena;
  fut_memory_free(block);
}

#else

static bool grow(fut_arena *arena) {
  struct chunk *chunk = fut_memory_new(CHUNK_SIZE);
  if (chunk == NULL)
    return false;
  chunk->next = arena->chunks;
  arena->chunks = chunk;
  arena->fresh = (char *)chunk->blocks;
  /* blocks of whole lines share none, so that two threads that work on
     neighbours do not take them away from each other */
  if (arena->block_size % LINE == 0)
    arena->fresh += -(uintptr_t)arena->fresh % LINE;
  arena->end = (char *)chunk + CHUNK_SIZE;
  return true;
}

void *fut_arena_take(fut_arena *arena) {
  if (arena->free == NULL &&
      /* relaxed: only a hint, the exchange below takes them */
      atomic_load_explicit(&arena->returned, memory_order_relaxed))
    /* acquire: partner of the release in send_back() */
    arena->free =
        atomic_exchange_explicit(&arena->returned, NULL, memory_order_acquire);
  struct spare *block = arena->free;
  if (block)
    arena->free = block->next;
  else {
    if ((size_t)(arena->end - arena->fresh) < arena->block_size && !grow(arena))
      return NULL;
    block = (struct spare *)(void *)arena->fresh;
    arena->fresh += arena->block_size;
  }
  arena->out++;
  return block;
}

static void keep(fut_arena *arena, void *block) {
  struct spare *spare = block;
  spare->next = arena->free;
  arena->free = spare;
}

static void send_back(fut_arena *arena, void *block) {
  struct spare *spare = block;
  spare->next = atomic_load_explicit(&arena->returned, memory_order_relaxed);
  /* release: the owner's use comes after all of ours */
  while (!atomic_compare_exchange_weak_explicit(&arena->returned, &spare->next,
                                                spare, memory_order_release,
                                                memory_order_relaxed))
    ;
}

#endif

void fut_arena_give(fut_arena *arena, void *block, bool owned) {
  if (owned) {
    keep(arena, block);
    arena->out--;
    return;
  }
  send_back(arena, block);
  /* acq_rel: the last one frees after all others are done */
  intptr_t before =
      atomic_fetch_add_explicit(&arena->away, 1, memory_order_acq_rel);
  if (before == -1)
    destroy(arena);
}

void fut_arena_lock(fut_arena *arena) { fut_mutex_lock(&arena->mutex); }

void fut_arena_unlock(fut_arena *arena) { fut_mutex_unlock(&arena->mutex); }
