/* hash.h - a number that stands for bytes; equal ones need a comparison */
#ifndef FUT_HASH_H
#define FUT_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_bytes(const unsigned char *bytes, size_t size) {
  uint64_t hash = size * UINT64_C(0x9E3779B97F4A7C15), word;
  for (; size >= 8; bytes += 8, size -= 8) {
    memcpy(&word, bytes, 8);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 29;
  }
  while (size-- > 0)
    hash = (hash ^ *bytes++) * UINT64_C(0x100000001B3);
  return hash ^ hash >> 32;
}

#endif
