/* board.h - memory through which a test and the workers of its pool talk */
#ifndef SPEC_BOARD_H
#define SPEC_BOARD_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BOARD_GATES = 16, BOARD_ENTRIES = 2000 };

typedef struct board {
  struct {
    atomic_int entered; /* atomic: who stands in it, a pid; 0: nobody */
    atomic_bool opened; /* atomic: who stands in it may go */
  } gates[BOARD_GATES];
  atomic_uint length; /* atomic: entries of the diary */
  atomic_uint entries[BOARD_ENTRIES];
  atomic_uint born, died; /* atomic: locals ever opened and closed */
  atomic_uint stops;      /* atomic: how often a worker was asked to stop */
} board;

/* Map the file; NULL: it cannot be. */
static inline board *board_map(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  void *base = fd < 0 ? MAP_FAILED
                      : mmap(NULL, sizeof(board), PROT_READ | PROT_WRITE,
                             MAP_SHARED, fd, 0);
  if (fd >= 0)
    close(fd);
  return base == MAP_FAILED ? NULL : base;
}

/* Make a board of zeros in a new file, whose name is written into path. */
static inline board *board_new(char *path, size_t size) {
  snprintf(path, size, "/tmp/futures-board-XXXXXX");
  int fd = mkstemp(path);
  bool made = fd >= 0 && ftruncate(fd, sizeof(board)) == 0;
  if (fd >= 0)
    close(fd);
  return made ? board_map(path) : NULL;
}

static inline void board_free(board *at, const char *path) {
  munmap(at, sizeof *at);
  unlink(path);
}

/* What the byte at that place of something large is. */
static inline unsigned char board_byte(size_t at) {
  return (unsigned char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static inline void board_fill(unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = board_byte(i);
}

static inline bool board_filled(const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != board_byte(i))
      return false;
  return true;
}

#endif
