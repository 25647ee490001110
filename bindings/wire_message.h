/* wire_message.h - writing into a message */
#ifndef FUT_WIRE_MESSAGE_H
#define FUT_WIRE_MESSAGE_H

#include "wire.h"
#include "wire_format.h"

#include <stdint.h>
#include <string.h>

_Static_assert(sizeof(lua_Integer) == 8 && sizeof(lua_Number) == 8,
               "the format needs 64-bit integers and doubles");

/* Raise the error that Lua raises when memory runs out. */
_Noreturn void wire_no_memory(lua_State *L);

/* Resize a block of *capacity elements of size bytes to at least needed
   ones, at least doubling it. Raises a memory error, the block intact. */
void *wire_grow(lua_State *L, void *block, size_t *capacity, size_t needed,
                size_t size);

/* Make room for more bytes and some small things after them. */
void wire_message_grow(lua_State *L, wire_message *message, size_t more);

/* Make room for one reference more. */
void wire_message_room(lua_State *L, wire_message *message);

/* Append a new reference to object, return its index. */
size_t wire_message_add(lua_State *L, wire_message *message,
                        fut_object *object);

/* Make the empty message one of three plain values: an integer, a string, nil.
   False if memory ran out. Any thread. */
bool wire_put_failure(wire_message *message, lua_Integer number,
                      const char *text);

/* Return where the next more bytes go; the caller adds what it wrote to
   size. Any call may move the bytes. */
static inline unsigned char *wire_reserve(lua_State *L, wire_message *message,
                                          size_t more) {
  if (message->capacity - message->size < more)
    wire_message_grow(L, message, more);
  return message->bytes + message->size;
}

static inline unsigned char *wire_put_u16(unsigned char *p, uint16_t v) {
  p[0] = (unsigned char)v;
  p[1] = (unsigned char)(v >> 8);
  return p + 2;
}

static inline unsigned char *wire_put_u32(unsigned char *p, uint32_t v) {
  wire_put_u16(p, (uint16_t)v);
  return wire_put_u16(p + 2, (uint16_t)(v >> 16));
}

static inline unsigned char *wire_put_u64(unsigned char *p, uint64_t v) {
  wire_put_u32(p, (uint32_t)v);
  return wire_put_u32(p + 4, (uint32_t)(v >> 32));
}

/* At most 10 bytes. */
static inline unsigned char *wire_put_varint(unsigned char *p, uint64_t v) {
  while (v >= 0x80) {
    *p++ = (unsigned char)(v | 0x80);
    v >>= 7;
  }
  *p++ = (unsigned char)v;
  return p;
}

/* At most 9 bytes. */
static inline unsigned char *wire_put_integer(unsigned char *p, lua_Integer v) {
  if (v >= WIRE_SMALL_MIN && v <= WIRE_SMALL_MAX) {
    *p = (unsigned char)(WIRE_SMALL + (v - WIRE_SMALL_MIN));
    return p + 1;
  }
  if (v >= INT16_MIN && v <= INT16_MAX) {
    *p = WIRE_INT16;
    return wire_put_u16(p + 1, (uint16_t)v);
  }
  if (v >= INT32_MIN && v <= INT32_MAX) {
    *p = WIRE_INT32;
    return wire_put_u32(p + 1, (uint32_t)v);
  }
  *p = WIRE_INT64;
  return wire_put_u64(p + 1, (uint64_t)v);
}

static inline unsigned char *wire_put_float(unsigned char *p, lua_Number v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  *p = WIRE_FLOAT;
  return wire_put_u64(p + 1, bits);
}

/* Append tag and string. */
static inline void wire_put_string(lua_State *L, wire_message *out,
                                   const char *s, size_t length) {
  unsigned char *p = wire_reserve(L, out, length + 11);
  if (length <= WIRE_SHORT_LIMIT)
    *p++ = (unsigned char)(WIRE_SHORT + length);
  else {
    *p++ = WIRE_LONG;
    p = wire_put_varint(p, length);
  }
  memcpy(p, s, length);
  out->size = (size_t)(p - out->bytes) + length;
}

/* Append a number, boolean or nil at index; false for any other type. */
static inline bool wire_put_simple(lua_State *L, wire_message *out, int index,
                                   int type) {
  unsigned char *p = wire_reserve(L, out, 16);
  switch (type) {
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      p = wire_put_integer(p, lua_tointegerx(L, index, NULL));
    else
      p = wire_put_float(p, lua_tonumberx(L, index, NULL));
    break;
  case LUA_TBOOLEAN:
    *p++ = lua_toboolean(L, index) ? WIRE_TRUE : WIRE_FALSE;
    break;
  case LUA_TNIL:
    *p++ = WIRE_NIL;
    break;
  default:
    return false;
  }
  out->size = (size_t)(p - out->bytes);
  return true;
}

#endif
