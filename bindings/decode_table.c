/* decode_table.c - bytes into tables

   All tables of a message together may announce no more elements than it has
   bytes, so memory is bounded before it is taken. Stack of a table's frame:
   table, key while its value is read. Only raw access: no metamethod runs. */
#include "decode.h"

enum { ELEMENT_LIMIT = 1 << 30 };

void decoder_begin_table(decoder *d, unsigned tag, size_t at) {
  uint64_t length = decoder_varint(d);
  if (d->p == d->end)
    decoder_fail(d, "truncated");
  unsigned size = *d->p++;
  if (size > 40)
    decoder_fail(d, "table too large");
  /* a size stands for more than 2^(size-2) pairs, up to twice as many */
  uint64_t room = size ? UINT64_C(1) << (size - 1) : 0;
  uint64_t pairs = size < 2 ? size : room / 2 + 1;
  if (length > d->budget || pairs * 2 > d->budget - length ||
      length > ELEMENT_LIMIT || room > ELEMENT_LIMIT)
    decoder_fail(d, "table too large");
  d->budget -= (size_t)(length + pairs * 2);
  decode_frame *f = decoder_push_frame(d, IN_ARRAY, at);
  f->length = length;
  f->pairs = size > 0;
  f->meta = (tag & WIRE_META) != 0;
  lua_createtable(d->L, (int)length, (int)room);
}

/* Read the next key and push it if it is a short string. Else the state
   tells: IN_METATABLE at the end of the pairs; IN_KEY if another value is the
   key, which is pushed, or has a frame. */
static void begin_key(decoder *d, decode_frame *f) {
  lua_State *L = d->L;
  if (d->end - d->p < 2) /* at least the end of the message must follow */
    decoder_fail(d, "truncated");
  unsigned number, tag = *d->p++;
  if (tag >= WIRE_KEY_NEAR)
    number = tag - WIRE_KEY_NEAR;
  else if (tag == WIRE_KEY_FAR && d->end - d->p >= 2) {
    number = wire_get_u16(d->p);
    d->p += 2;
  } else if (tag == WIRE_KEY_NEW) {
    size_t length = *d->p++;
    if (length > WIRE_SHORT_LIMIT || length > (size_t)(d->end - d->p))
      decoder_fail(d, "truncated");
    lua_pushlstring(L, (const char *)d->p, length);
    d->p += length;
    lua_pushvalue(L, -1);
    lua_rawseti(L, AT_KEYS, (lua_Integer)(d->key_count++ % WIRE_KEY_LIMIT) + 1);
    return;
  } else {
    if (tag == WIRE_KEY_FAR)
      decoder_fail(d, "truncated");
    f->part = tag == WIRE_KEY_VALUE ? IN_KEY : IN_METATABLE;
    if (tag == WIRE_KEY_VALUE)
      decoder_begin(d);
    return;
  }
  if (number >= d->key_count || number >= WIRE_KEY_LIMIT)
    decoder_fail(d, "unknown key");
  lua_rawgeti(L, AT_KEYS, (lua_Integer)number + 1);
}

/* Read pairs until a value needs a frame (false), or f->part tells that
   something else comes. */
static bool read_pairs(decoder *d, decode_frame *f) {
  for (;;) {
    size_t depth = d->depth;
    begin_key(d, f);
    if (d->depth != depth)
      return false; /* the key has a frame; f may have moved */
    if (f->part != IN_VALUE)
      return true;
    if (!decoder_begin(d))
      return false;
    lua_rawset(d->L, -3);
  }
}

/* Whether the table whose tag lies at the offset is being filled below the
   innermost frame. Frames lie in the order of their offsets. */
static bool is_open(const decoder *d, uint64_t at) {
  size_t low = 0, high = d->depth - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (d->frames[middle].at < at)
      low = middle + 1;
    else
      high = middle;
  }
  return low < d->depth - 1 && d->frames[low].at == at;
}

/* Give the table below the top the metatable on top; if that is itself not
   filled yet, at the end of the message, as Lua looks for __gc only then. */
static void set_metatable(decoder *d, bool open) {
  lua_State *L = d->L;
  if (!lua_istable(L, -1))
    decoder_fail(d, "metatable is no table");
  if (!open) {
    lua_setmetatable(L, -2);
    return;
  }
  if (lua_isnil(L, AT_LATER)) {
    lua_newtable(L);
    lua_replace(L, AT_LATER);
  }
  lua_Integer n = (lua_Integer)lua_rawlen(L, AT_LATER);
  lua_pushvalue(L, -2);
  lua_rawseti(L, AT_LATER, n + 1);
  lua_rawseti(L, AT_LATER, n + 2);
}

static bool read_metatable(decoder *d, decode_frame *f) {
  bool open = false;
  if (!f->meta)
    return true;
  f->meta = false; /* when we come back, attach has set it */
  if (d->p < d->end && *d->p == WIRE_REF) {
    const unsigned char *p = d->p++;
    open = is_open(d, decoder_varint(d));
    d->p = p;
  }
  if (!decoder_begin(d))
    return false;
  set_metatable(d, open);
  return true;
}

void decoder_set_late_metatables(lua_State *L) {
  if (lua_isnil(L, AT_LATER))
    return;
  lua_Integer n = (lua_Integer)lua_rawlen(L, AT_LATER);
  for (lua_Integer i = 1; i < n; i += 2) {
    lua_rawgeti(L, AT_LATER, i);
    lua_rawgeti(L, AT_LATER, i + 1);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
  }
}

bool decoder_step_table(decoder *d, decode_frame *f) {
  lua_State *L = d->L;
  for (;;) {
    switch (f->part) {
    case IN_ARRAY:
      while (f->done < f->length) {
        f->done++;
        if (!decoder_begin(d))
          return false;
        lua_rawseti(L, -2, (lua_Integer)f->done);
      }
      f->part = f->pairs ? IN_VALUE : IN_METATABLE;
      break;
    case IN_KEY: /* the key is on top */
      if (lua_isnil(L, -1) || !lua_rawequal(L, -1, -1))
        decoder_fail(d, "key is nil or NaN");
      f->part = IN_VALUE;
      if (!decoder_begin(d))
        return false;
      lua_rawset(L, -3);
      break;
    case IN_VALUE:
      if (!read_pairs(d, f))
        return false;
      break;
    default:
      return read_metatable(d, f);
    }
  }
}

void decoder_attach_to_table(decoder *d, decode_frame *f) {
  switch (f->part) {
  case IN_ARRAY:
    lua_rawseti(d->L, -2, (lua_Integer)f->done);
    break;
  case IN_VALUE:
    lua_rawset(d->L, -3);
    break;
  case IN_METATABLE:
    set_metatable(d, false);
    break;
  default:
    break; /* a key stays */
  }
}
