/* wire_read.h - reading small things without trust */
#ifndef FUT_WIRE_READ_H
#define FUT_WIRE_READ_H

#include "wire_format.h"

#include <lua.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t wire_get_u16(const unsigned char *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t wire_get_u32(const unsigned char *p) {
  return wire_get_u16(p) | (uint32_t)wire_get_u16(p + 2) << 16;
}

static inline uint64_t wire_get_u64(const unsigned char *p) {
  return wire_get_u32(p) | (uint64_t)wire_get_u32(p + 4) << 32;
}

/* Read a number of at most 63 bits. Returns the byte after it, or NULL. */
static inline const unsigned char *wire_get_varint(const unsigned char *p,
                                                   const unsigned char *end,
                                                   uint64_t *value) {
  uint64_t v = 0;
  for (unsigned shift = 0; p < end && shift < 63; shift += 7) {
    v |= (uint64_t)(*p & 0x7F) << shift;
    if (*p++ < 0x80) {
      *value = v;
      return p;
    }
  }
  return NULL;
}

/* Find a string in the bytes. Returns the byte after it, or NULL. */
static inline const unsigned char *wire_get_string(const unsigned char *p,
                                                   const unsigned char *end,
                                                   const char **s,
                                                   size_t *length) {
  uint64_t n = 0;
  p = wire_get_varint(p, end, &n);
  if (p == NULL || n > (size_t)(end - p))
    return NULL;
  *s = (const char *)p;
  *length = (size_t)n;
  return p + n;
}

/* Push the scalar at p, which ends before end. Returns the byte after it, or
   NULL, with nothing pushed, if another kind of value lies there or it is cut
   off. Inlined by force where it is hot: half the time of records is here. */
#if defined(__GNUC__)
__attribute__((always_inline))
#endif
static inline const unsigned char *
wire_push_scalar(lua_State *L, const unsigned char *p,
                 const unsigned char *end) {
  size_t left = (size_t)(end - p);
  if (left == 0)
    return NULL;
  unsigned tag = *p++;
  left--;
  if (tag >= WIRE_SMALL) {
    lua_pushinteger(L, (lua_Integer)tag - WIRE_SMALL + WIRE_SMALL_MIN);
    return p;
  }
  if (tag >= WIRE_SHORT) {
    size_t length = tag - WIRE_SHORT;
    if (left < length)
      return NULL;
    lua_pushlstring(L, (const char *)p, length);
    return p + length;
  }
  switch (tag) {
  case WIRE_NIL:
    lua_pushnil(L);
    return p;
  case WIRE_FALSE:
    lua_pushboolean(L, 0);
    return p;
  case WIRE_TRUE:
    lua_pushboolean(L, 1);
    return p;
  case WIRE_INT16:
    if (left < 2)
      return NULL;
    lua_pushinteger(L, (int16_t)wire_get_u16(p));
    return p + 2;
  case WIRE_INT32:
    if (left < 4)
      return NULL;
    lua_pushinteger(L, (int32_t)wire_get_u32(p));
    return p + 4;
  case WIRE_INT64:
    if (left < 8)
      return NULL;
    lua_pushinteger(L, (lua_Integer)wire_get_u64(p));
    return p + 8;
  case WIRE_FLOAT: {
    if (left < 8)
      return NULL;
    uint64_t bits = wire_get_u64(p);
    lua_Number number;
    memcpy(&number, &bits, sizeof number);
    lua_pushnumber(L, number);
    return p + 8;
  }
  default:
    return NULL;
  }
}

#endif
