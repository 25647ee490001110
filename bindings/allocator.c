/* allocator.c - the memory of one lua_State: counted, limited, its threads
   known

   A thread object begins with the extra space that lua_getextraspace() returns;
   the lua_State follows. A thread that is just being made must not be touched.
   It is complete when two more objects have been made since, its stack and
   the frame of the first call in it, or when the next thread is made. */
#include "allocator.h"

#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

/* --- the set of threads --------------------------------------------------- */

static size_t slot_of(const allocator *self, const void *block) {
  uint64_t hash = ((uint64_t)(uintptr_t)block >> 4) * 0x9E3779B97F4A7C15u;
  return (size_t)(hash >> 32) & (self->capacity - 1);
}

static void put(allocator *self, void *block) {
  size_t at = slot_of(self, block);
  while (self->threads[at])
    at = (at + 1) & (self->capacity - 1);
  self->threads[at] = block;
}

/* Make room for one more; false if memory ran out. */
static bool grow(allocator *self) {
  if ((self->count + 1) * 2 <= self->capacity)
    return true;
  void **old = self->threads;
  size_t old_capacity = self->capacity;
  size_t capacity = old_capacity ? old_capacity * 2 : 16;
  void **threads = fut_memory_new(capacity * sizeof *threads);
  if (threads == NULL)
    return false;
  for (size_t i = 0; i < capacity; i++)
    threads[i] = NULL;
  self->threads = threads;
  self->capacity = capacity;
  for (size_t i = 0; i < old_capacity; i++)
    if (old[i])
      put(self, old[i]);
  fut_memory_free(old);
  return true;
}

/* Without memory the thread is unknown: then only a stop of C code that runs
   it fails, and the task is given up. */
static void add(allocator *self, void *block, size_t size) {
  self->busy = 1;
  atomic_signal_fence(memory_order_seq_cst);
  if (grow(self)) {
    put(self, block);
    self->count++;
  }
  self->thread_size = size;
  self->newest = block;
  self->fresh = 0;
  atomic_signal_fence(memory_order_seq_cst);
  self->busy = 0;
}

/* Take a block out if it is in, and close the gap. */
static void take(allocator *self, const void *block) {
  if (self->count == 0)
    return;
  size_t mask = self->capacity - 1, at = slot_of(self, block);
  while (self->threads[at] && self->threads[at] != block)
    at = (at + 1) & mask;
  if (self->threads[at] == NULL)
    return;
  self->busy = 1;
  atomic_signal_fence(memory_order_seq_cst);
  self->threads[at] = NULL;
  self->count--;
  for (at = (at + 1) & mask; self->threads[at]; at = (at + 1) & mask) {
    void *moved = self->threads[at];
    self->threads[at] = NULL;
    put(self, moved);
  }
  if (self->newest == block)
    self->newest = NULL;
  atomic_signal_fence(memory_order_seq_cst);
  self->busy = 0;
}

void allocator_each_thread(const allocator *self,
                           void (*visit)(void *context, lua_State *thread),
                           void *context) {
  if (self->busy)
    return;
  for (size_t i = 0; i < self->capacity; i++) {
    char *block = self->threads[i];
    if (block && (block != self->newest || self->fresh >= 2))
      visit(context, (lua_State *)(void *)(block + LUA_EXTRASPACE));
  }
}

/* --- memory ----------------------------------------------------------------
 */

/* A new object: it is a thread, or makes the newest one complete. */
static inline void note_new(allocator *self, void *block, size_t kind,
                            size_t size) {
  if (kind != LUA_TTHREAD)
    self->fresh++;
  else if (self->has_main)
    add(self, block, size);
  else
    self->has_main = true;
}

/* Where addresses are checked, each object is a block of its own. */
static void *resize(allocator *self, void *block, size_t old, size_t size) {
#ifdef FUT_ASAN
  (void)self;
  (void)old;
  if (size > 0)
    return realloc(block, size);
  free(block);
  return NULL;
#else
  return fut_blocks_resize(&self->blocks, block, old, size);
#endif
}

static void *allocate(void *context, void *block, size_t old, size_t size) {
  allocator *self = context;
  size_t used = self->used - (block ? old : 0);
  if (size == 0) {
    if (old == self->thread_size)
      take(self, block);
  } else if (used > self->limit || size > self->limit - used) {
    if (block == NULL || size > old) /* what shrinks must not fail */
      return NULL;
  }
  void *result = resize(self, block, old, size);
  if (result == NULL && size > 0)
    return NULL;
  self->used = used + size;
  /* relaxed: a figure for others */
  atomic_store_explicit(&self->report->memory, self->used,
                        memory_order_relaxed);
  if (block == NULL)
    note_new(self, result, old, size);
  return result;
}

lua_State *allocator_open(allocator *self, fut_worker_report *report) {
  *self = (allocator){.report = report, .limit = FUT_UNLIMITED};
  fut_blocks_init(&self->blocks);
  return lua_newstate(allocate, self);
}

void allocator_fini(allocator *self) {
  fut_blocks_fini(&self->blocks);
  fut_memory_free(self->threads);
}
