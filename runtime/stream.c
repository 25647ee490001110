/* stream.c - bytes from one process to another, through shared memory */
#include "stream.h"

#include <string.h>

#define MASK (FUT_STREAM_SIZE - 1)

/* Return how many bytes wait, as far as that can be true. */
static size_t waiting(uint64_t written, uint64_t read) {
  uint64_t count = written - read;
  return count <= FUT_STREAM_SIZE ? (size_t)count : 0;
}

size_t fut_stream_put(fut_stream *stream, uint64_t *position,
                      const unsigned char *bytes, size_t size) {
  uint64_t read = atomic_load(&stream->read);
  if (*position - read > FUT_STREAM_SIZE)
    return 0; /* the other side has lost its mind */
  size_t room = FUT_STREAM_SIZE - (size_t)(*position - read);
  if (size > room)
    size = room;
  size_t at = (size_t)*position & MASK;
  size_t first = size < FUT_STREAM_SIZE - at ? size : FUT_STREAM_SIZE - at;
  memcpy(stream->bytes + at, bytes, first);
  memcpy(stream->bytes, bytes + first, size - first);
  *position += size;
  atomic_store(&stream->written, *position);
  return size;
}

size_t fut_stream_get(fut_stream *stream, uint64_t *position,
                      unsigned char *bytes, size_t size) {
  size_t there = waiting(atomic_load(&stream->written), *position);
  if (size > there)
    size = there;
  size_t at = (size_t)*position & MASK;
  size_t first = size < FUT_STREAM_SIZE - at ? size : FUT_STREAM_SIZE - at;
  if (bytes && size > 0) {
    memcpy(bytes, stream->bytes + at, first);
    memcpy(bytes + first, stream->bytes, size - first);
  }
  *position += size;
  atomic_store(&stream->read, *position);
  return size;
}

int fut_stream_readable(fut_stream *stream, uint64_t position) {
  return waiting(atomic_load(&stream->written), position) > 0;
}

int fut_stream_writable(fut_stream *stream, uint64_t position) {
  return position - atomic_load(&stream->read) < FUT_STREAM_SIZE;
}
