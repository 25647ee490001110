/* encode_table.c - tables into bytes

   One pass of lua_next: as long as its keys are 1, 2, 3 ... they are the
   array, everything after the first other key is pairs, so a copy is laid out
   as its original was. Array length and size are filled in afterwards.
   Stack of a table's frame: table, key, value, and a copy of the key while
   that is itself being encoded. */
#include "encode.h"

#include "environment.h"

enum { IN_ARRAY, IN_PAIRS, IN_KEY, IN_METATABLE };

/* Nil values that the array may hold in a row; else the rest is pairs. */
enum { GAP_LIMIT = 8 };

static size_t known_keys(const encoder *e) {
  return e->key_count < WIRE_KEY_LIMIT ? e->key_count : WIRE_KEY_LIMIT;
}

/* Write a key by its number. */
static void put_known_key(encoder *e, unsigned number) {
  unsigned char *p = wire_reserve(e->L, e->out, 16);
  e->keys[e->last_key].follower = (uint16_t)number;
  e->last_key = number;
  if (number < WIRE_KEY_NEAR_END)
    *p++ = (unsigned char)(WIRE_KEY_NEAR + number);
  else {
    *p++ = WIRE_KEY_FAR;
    p = wire_put_u16(p, (uint16_t)number);
  }
  e->out->size = (size_t)(p - e->out->bytes);
}

/* The key that came after the last one before, as in most records. A string
   that Lua keeps only once is known by its identity, which no other value can
   have while it is a key of what we are encoding. */
static inline bool put_expected_key(encoder *e, const void *identity) {
  unsigned number = e->keys[e->last_key].follower;
  if (number >= known_keys(e) || e->keys[number].string != identity)
    return false;
  put_known_key(e, number);
  return true;
}

static void put_short_key(encoder *e, const void *identity, const char *s,
                          size_t length) {
  size_t slot =
      (size_t)(((uint64_t)(uintptr_t)identity * UINT64_C(0x9E3779B97F4A7C15)) >>
               53); /* 64 - log2(2 * WIRE_KEY_LIMIT) */
  unsigned number = e->key_slots[slot];
  if (number < known_keys(e) && e->keys[number].string == identity) {
    put_known_key(e, number);
    return;
  }
  unsigned char *p = wire_reserve(e->L, e->out, WIRE_SHORT_LIMIT + 16);
  number = e->key_count++ % WIRE_KEY_LIMIT;
  e->keys[number].string = identity;
  e->key_slots[slot] = (uint16_t)number;
  e->keys[e->last_key].follower = (uint16_t)number;
  e->last_key = number;
  *p++ = WIRE_KEY_NEW;
  *p++ = (unsigned char)length;
  memcpy(p, s, length);
  e->out->size = (size_t)(p - e->out->bytes) + length;
}

/* The array has ended where it was not expected to: correct its length,
   padded to the bytes that were kept for it. */
static void end_array(encoder *e, encode_frame *f) {
  if (f->done != f->length) {
    unsigned char *p = e->out->bytes + f->header;
    uint64_t v = (uint64_t)f->done;
    for (int i = 1; i < f->length_size; i++, v >>= 7)
      *p++ = (unsigned char)(v | 0x80);
    *p = (unsigned char)(v & 0x7F);
  }
  f->state = IN_PAIRS;
}

/* Whether the key below the top goes on with the array; then gaps before it
   are filled. */
static bool extend_array(encoder *e, encode_frame *f) {
  if (!lua_isinteger(e->L, -2))
    return false;
  lua_Integer key = lua_tointegerx(e->L, -2, NULL);
  if (key <= f->done || key > f->length)
    return false;
  lua_Integer gap = key - 1 - f->done;
  if (gap > 0) {
    if (gap > GAP_LIMIT)
      return false;
    unsigned char *p = wire_reserve(e->L, e->out, GAP_LIMIT);
    memset(p, WIRE_NIL, (size_t)gap);
    e->out->size += (size_t)gap;
  }
  f->done = key;
  return true;
}

/* Encode the key below the top; false if it needs a frame of its own. */
static bool put_any_key(encoder *e, encode_frame *f) {
  lua_State *L = e->L;
  size_t length;
  const void *identity = lua_topointer(L, -2);
  f->pairs++;
  if (identity != NULL && put_expected_key(e, identity))
    return true;
  if (lua_type(L, -2) == LUA_TSTRING) {
    const char *s = lua_tolstring(L, -2, &length);
    if (length <= WIRE_SHORT_LIMIT) {
      put_short_key(e, identity, s, length);
      return true;
    }
  }
  *wire_reserve(L, e->out, 1) = WIRE_KEY_VALUE;
  e->out->size++;
  lua_pushvalue(L, -2);
  f->state = IN_KEY;
  if (!encoder_begin(e))
    return false;
  f->state = IN_PAIRS;
  return true;
}

static void end_pairs(encoder *e, encode_frame *f) {
  unsigned size = 1;
  if (f->state == IN_ARRAY)
    end_array(e, f);
  if (f->pairs == 0)
    return;
  *wire_reserve(e->L, e->out, 1) = WIRE_KEY_END;
  e->out->size++;
  while (f->pairs > (size_t)1 << (size - 1))
    size++;
  e->out->bytes[f->header + f->length_size] = (unsigned char)size;
}

bool encoder_begin_table(encoder *e) {
  lua_State *L = e->L;
  const void *pointer = lua_topointer(L, -1), *metatable = NULL;
  size_t at = e->out->size;
  if (pointer == e->globals) {
    encoder_put_tag(e, WIRE_GLOBALS);
    return true;
  }
  if (lua_getmetatable(L, -1)) {
    metatable = lua_topointer(L, -1);
    lua_pop(L, 1);
  }
  encoder_refresh_names(e); /* it may be a module; once a message */
  if (encoder_put_met(e, pointer))
    return true;
  if (wire_names_find(&e->state->names, pointer, LUA_TTABLE) &&
      encoder_put_name(e))
    return true;
  bool meta = metatable != NULL;
  if (meta && metatable != e->plain_meta) {
    if (environment_is(L, -1)) {
      encoder_put_tag(e, WIRE_GLOBALS);
      return true;
    }
    if (encoder_begin_reduced(e))
      return false;
  }
  encode_frame *f = encoder_push_frame(e, FRAME_TABLE, at);
  f->meta = meta;
  lua_pushnil(L); /* first key: before the first */
  f->first = lua_next(L, f->index);
  if (f->first && lua_isinteger(L, -2))
    f->length = (lua_Integer)lua_rawlen(L, f->index);
  else
    f->state = IN_PAIRS;
  unsigned char *p = wire_reserve(L, e->out, 16), *header = p + 1;
  *p = (unsigned char)(WIRE_TABLE | (meta ? WIRE_META : 0));
  p = wire_put_varint(header, (uint64_t)f->length);
  f->header = at + 1;
  f->length_size = (unsigned char)(p - header);
  *p++ = 0;
  e->out->size = (size_t)(p - e->out->bytes);
  if (f->first)
    return false;
  if (meta) {
    lua_pushnil(L); /* none to go on from: there is no first key */
    return false;
  }
  e->depth--;
  return true;
}

/* Push the next key and value, if they are not there already. */
static inline bool has_next(lua_State *L, encode_frame *f) {
  if (f->first) {
    f->first = false;
    return true;
  }
  return lua_next(L, f->index);
}

void encoder_step_table(encoder *e, encode_frame *f) {
  lua_State *L = e->L;
  if (f->state == IN_KEY) {
    f->state = IN_PAIRS;
    if (!encoder_begin(e))
      return;
  }
  if (f->state != IN_METATABLE) {
    while (has_next(L, f)) {
      if (f->state == IN_ARRAY && !extend_array(e, f))
        end_array(e, f);
      if (f->state == IN_PAIRS && !put_any_key(e, f))
        return;
      if (encoder_put_common(e))
        lua_pop(L, 1);
      else if (!encoder_begin(e))
        return;
    }
    end_pairs(e, f);
    f->state = IN_METATABLE;
    if (f->meta) {
      lua_getmetatable(L, f->index);
      if (!encoder_begin(e))
        return;
    }
  }
  lua_pop(L, 1); /* the table */
  e->depth--;
}

enum table_part encoder_table_part(const encode_frame *f) {
  if (f->state == IN_METATABLE)
    return PART_METATABLE;
  return f->state == IN_KEY ? PART_KEY : PART_VALUE;
}
