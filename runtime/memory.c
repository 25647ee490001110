/* memory.c - where the library gets its memory, one replaceable allocator */
#include "memory.h"

#include <stdlib.h>

/* Both set once, before the first allocation. */
static fut_memory_function *hook;
static void *hook_context;

void *fut_memory_new(size_t size) { return fut_memory_resize(NULL, size); }

void *fut_memory_resize(void *block, size_t size) {
  return hook ? hook(hook_context, block, size) : realloc(block, size);
}

void fut_memory_free(void *block) {
  if (block == NULL)
    return;
  if (hook)
    hook(hook_context, block, 0);
  else
    free(block);
}

void fut_memory_set(fut_memory_function *function, void *context) {
  hook = function;
  hook_context = context;
}
