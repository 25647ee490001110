/* hash.h - a number that stands for bytes; equal ones need a comparison */
#ifndef FUT_HASH_H
#define FUT_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_step(uint64_t hash, const void *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ hash >> 29;
}

/* In four lanes, as a step waits for its multiplication. */
static inline uint64_t hash_bytes(const unsigned char *bytes, size_t size) {
  uint64_t a = size;
  unsigned char rest[8] = {0};
  if (size >= 32) {
    uint64_t b = 1, c = 2, d = 3;
    for (; size >= 32; bytes += 32, size -= 32) {
      a = hash_step(a, bytes);
      b = hash_step(b, bytes + 8);
      c = hash_step(c, bytes + 16);
      d = hash_step(d, bytes + 24);
    }
    a = hash_step(hash_step(hash_step(a, &b), &c), &d);
  }
  for (; size >= 8; bytes += 8, size -= 8)
    a = hash_step(a, bytes);
  memcpy(rest, bytes, size);
  a = hash_step(a, rest);
  return a ^ a >> 32;
}

#endif
