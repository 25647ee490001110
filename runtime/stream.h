/* stream.h - bytes from one process to another, through shared memory */
#ifndef FUT_STREAM_H
#define FUT_STREAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define FUT_STREAM_SIZE ((size_t)1 << 18) /* a power of two */

/* A ring with one writer and one reader, zeros to begin with. Either side keeps
   its own position in memory of its own as well and believes nothing of the
   other's but how far that has come. */
typedef struct fut_stream {
  _Atomic uint64_t written; /* atomic, writer only writes: bytes in all */
  char apart[56];
  _Atomic uint64_t read; /* atomic, reader only writes: bytes in all */
  char apart_too[56];
  unsigned char bytes[FUT_STREAM_SIZE];
} fut_stream;

/* Write as many of the bytes as there is room for; return how many. position
   is the writer's own, 0 to begin with. Never blocks. */
size_t fut_stream_put(fut_stream *stream, uint64_t *position,
                      const unsigned char *bytes, size_t size);

/* Read up to so many bytes into a buffer, or nowhere (NULL); return how many.
   position is the reader's own, 0 to begin with. Never blocks. */
size_t fut_stream_get(fut_stream *stream, uint64_t *position,
                      unsigned char *bytes, size_t size);

/* Whether there is something to read, or room to write, for whom that is the
   own position. */
int fut_stream_readable(fut_stream *stream, uint64_t position);
int fut_stream_writable(fut_stream *stream, uint64_t position);

#endif
