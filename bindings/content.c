/* content.c - the bytes of a message, small ones in place */
#include "content.h"

#include "memory.h"
#include "wire_message.h"

#include <string.h>

enum { IN_BLOCK = CONTENT_SPACE + 1, NO_MEMORY };

typedef struct block {
  size_t size, object_count;
  fut_object *objects[]; /* then the bytes */
} block;

_Static_assert(sizeof(block *) <= CONTENT_SPACE, "room for a pointer");

static unsigned char *bytes(block *b) {
  return (unsigned char *)(b->objects + b->object_count);
}

static size_t memory(const block *b) {
  return sizeof *b + b->object_count * sizeof b->objects[0] + b->size;
}

static block *get_block(const content *c) {
  block *b;
  memcpy(&b, c->space, sizeof b);
  return b;
}

static job_content no_memory(void) {
  size_t size;
  const unsigned char *outcome = job_memory_failure(&size);
  return (job_content){outcome, size, NULL, 0};
}

size_t content_take(content *c, wire_message *message) {
  size_t size = message->size, count = message->object_count;
  if (size <= CONTENT_SPACE && count == 0) {
    memcpy(c->space, message->bytes, size);
    c->kind = (unsigned char)size;
    message->size = 0;
    return 0;
  }
  block *b = fut_memory_new(sizeof *b + count * sizeof b->objects[0] + size);
  if (b == NULL)
    return SIZE_MAX;
  b->size = size;
  b->object_count = count;
  if (count > 0)
    memcpy(b->objects, message->objects, count * sizeof b->objects[0]);
  memcpy(bytes(b), message->bytes, size);
  message->size = message->object_count = 0;
  memcpy(c->space, &b, sizeof b);
  c->kind = IN_BLOCK;
  return memory(b);
}

size_t content_drop(content *c) {
  bool in_block = c->kind == IN_BLOCK;
  c->kind = 0;
  if (!in_block)
    return 0;
  block *b = get_block(c);
  size_t freed = memory(b);
  for (size_t i = 0; i < b->object_count; i++)
    fut_object_release(b->objects[i]);
  fut_memory_free(b);
  return freed;
}

job_content content_message(const content *c) {
  if (c->kind <= CONTENT_SPACE)
    return (job_content){c->space, c->kind, NULL, 0};
  if (c->kind == NO_MEMORY)
    return no_memory();
  block *b = get_block(c);
  return (job_content){bytes(b), b->size, b->objects, b->object_count};
}

void content_put_no_memory(content *c) { c->kind = NO_MEMORY; }
