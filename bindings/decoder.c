/* decoder.c - what the parts of a decoder share: its life, stack and memory */
#include "decoder.h"

#include "memory.h"

#include <lauxlib.h>
#include <stdlib.h>

enum { FRAMES_KEPT = 1024 };

decoder *decoder_take(lua_State *L, wire_state *state) {
  decoder *d = state->decoders;
  while (d != NULL && d->busy)
    d = d->next;
  if (d == NULL) {
    d = fut_memory_new(sizeof *d);
    if (d == NULL)
      wire_no_memory(L);
    memset(d, 0, sizeof *d);
    d->state = state;
    d->keys = LUA_NOREF;
    d->next = state->decoders;
    state->decoders = d;
  }
  d->busy = true;
  return d;
}

/* Make the decoder idle; what only a huge message needed is given back. */
void decoder_give(decoder *d) {
  if (d->frame_capacity > FRAMES_KEPT) {
    fut_memory_free(d->frames);
    d->frames = NULL;
    d->frame_capacity = 0;
  }
  d->busy = false;
}

void decoder_free(lua_State *L, decoder *d) {
  luaL_unref(L, LUA_REGISTRYINDEX, d->keys);
  fut_memory_free(d->frames);
  fut_memory_free(d);
}

void decoder_refuse(decoder *d) {
  d->refused = true;
  lua_error(d->L);
  abort(); /* lua_error() does not return */
}

void decoder_fail(decoder *d, const char *why) {
  lua_pushfstring(d->L, "malformed message: %s", why);
  decoder_refuse(d);
}

void decoder_reserve(decoder *d) {
  int top = lua_gettop(d->L);
  if (top + 16 <= d->reserved)
    return;
  if (!lua_checkstack(d->L, 128))
    decoder_fail(d, "too many values");
  d->reserved = top + 128;
}

decode_frame *decoder_push_frame(decoder *d, enum decode_part part, size_t at) {
  if (d->depth == WIRE_DEPTH_LIMIT)
    decoder_fail(d, "nested deeper than 100000 levels");
  if (d->depth == d->frame_capacity)
    d->frames = wire_grow(d->L, d->frames, &d->frame_capacity, d->depth + 1,
                          sizeof *d->frames);
  decoder_reserve(d);
  decode_frame *f = &d->frames[d->depth++];
  memset(f, 0, sizeof *f);
  f->part = (unsigned char)part;
  f->at = at;
  return f;
}

void decoder_keep_shared(decoder *d, size_t at) {
  lua_State *L = d->L;
  if (lua_isnil(L, AT_SHARED)) {
    lua_newtable(L);
    lua_replace(L, AT_SHARED);
  }
  lua_pushvalue(L, -1);
  lua_rawseti(L, AT_SHARED, (lua_Integer)at);
}

void decoder_push_shared(decoder *d) {
  uint64_t at = decoder_varint(d);
  if (lua_isnil(d->L, AT_SHARED) ||
      lua_rawgeti(d->L, AT_SHARED, (lua_Integer)at) == LUA_TNIL)
    decoder_fail(d, "reference to nothing");
}
