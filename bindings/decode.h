/* decode.h - the parts of a decoder know each other */
#ifndef FUT_DECODE_H
#define FUT_DECODE_H

#include "wire_state.h"

/* Places in the stack of a running decoder. */
enum {
  AT_DECODER = 1,
  AT_KEYS,   /* table: strings that were keys, by number + 1 */
  AT_SHARED, /* table: values that come again, by offset; nil until needed */
  AT_LATER,  /* array of table, metatable, ...; nil until needed */
};

/* States of a frame: what the value that is being read will be. */
enum { IN_ARRAY, IN_KEY, IN_VALUE, IN_METATABLE, IN_UPVALUES };

/* Raise the refusal of malformed bytes. */
_Noreturn void decoder_fail(decoder *d, const char *why);

/* Push the value that comes next. False if that has a frame, pushed last,
   which must be stepped until it is gone. */
bool decoder_begin(decoder *d);

/* Enter a new frame for the value whose tag lies at the offset. */
decode_frame *decoder_push_frame(decoder *d, int state, size_t at);

/* Note the value on top, which comes again, under the offset of its tag. */
void decoder_keep_shared(decoder *d, size_t at);

/* Push an empty table and its frame; the tag has been read. */
void decoder_begin_table(decoder *d, unsigned tag, size_t at);

/* Fill the table on top until a value in it needs a frame (false) or it is
   complete (true). */
bool decoder_step_table(decoder *d, decode_frame *f);

/* The value on top is complete: put it where the table's frame wants it. */
void decoder_attach_to_table(decoder *d, decode_frame *f);

/* Set the metatables that could not be set earlier. */
void decoder_set_late_metatables(lua_State *L);

static inline uint16_t wire_get_u16(const unsigned char *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t wire_get_u32(const unsigned char *p) {
  return wire_get_u16(p) | (uint32_t)wire_get_u16(p + 2) << 16;
}

static inline uint64_t wire_get_u64(const unsigned char *p) {
  return wire_get_u32(p) | (uint64_t)wire_get_u32(p + 4) << 32;
}

static inline uint64_t decoder_varint(decoder *d) {
  uint64_t value = 0;
  for (unsigned shift = 0; d->p < d->end && shift < 63; shift += 7) {
    unsigned char byte = *d->p++;
    value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80)
      return value;
  }
  decoder_fail(d, "bad number");
  return 0;
}

/* Push the scalar at p, which ends before end. Returns the byte after it, or
   NULL, with nothing pushed, if another kind of value lies there or it is cut
   off. */
static inline const unsigned char *wire_push_scalar(lua_State *L,
                                                    const unsigned char *p,
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
