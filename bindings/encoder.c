/* encoder.c - what the parts of an encoder share: its life, output and names */
#include "encoder.h"

#include "environment.h"
#include "memory.h"

#include <lauxlib.h>
#include <stdlib.h>

enum { FRAMES_KEPT = 1024 };

encoder *encoder_take(lua_State *L, wire_state *state) {
  encoder *e = state->encoders;
  while (e != NULL && e->busy)
    e = e->next;
  if (e == NULL) {
    e = fut_memory_new(sizeof *e);
    if (e == NULL)
      wire_no_memory(L);
    memset(e, 0, sizeof *e);
    pointer_map_init(&e->met);
    e->state = state;
    e->next = state->encoders;
    state->encoders = e;
  }
  e->busy = true;
  return e;
}

/* Make the encoder idle; what only a huge message needed is given back. */
void encoder_give(encoder *e) {
  if (e->frame_capacity > FRAMES_KEPT) {
    fut_memory_free(e->frames);
    e->frames = NULL;
    e->frame_capacity = 0;
  }
  e->busy = false;
}

void encoder_free(encoder *e) {
  fut_memory_free(e->frames);
  fut_memory_free(e->upvalues);
  pointer_map_fini(&e->met);
  fut_memory_free(e);
}

void encoder_leave(encoder *e, enum encode_end end) {
  e->end = end;
  lua_error(e->L);
  abort(); /* lua_error() does not return */
}

void encoder_put_tag(encoder *e, enum wire_tag tag) {
  *wire_reserve(e->L, e->out, 1) = (unsigned char)tag;
  e->out->size++;
}

void encoder_put_number(encoder *e, enum wire_tag tag, size_t number) {
  unsigned char *p = wire_reserve(e->L, e->out, 16);
  *p++ = (unsigned char)tag;
  p = wire_put_varint(p, number);
  e->out->size = (size_t)(p - e->out->bytes);
}

bool encoder_put_met(encoder *e, const void *pointer) {
  bool found;
  pointer_entry *entry = pointer_map_enter(e->L, &e->met, pointer, &found);
  if (!found) {
    entry->value = e->out->size & ((UINT64_C(1) << 40) - 1);
    return false;
  }
  size_t at = entry->value;
  if (e->out->bytes[at] == WIRE_REDUCED)
    for (size_t i = 0; i < e->depth; i++)
      if (e->frames[i].at == at && e->frames[i].kind == FRAME_REDUCED)
        encoder_refuse(e, "its __reduce leads back to it");
  e->out->bytes[at] |= WIRE_SHARED;
  encoder_put_number(e, WIRE_REF, at);
  return true;
}

encode_frame *encoder_push_frame(encoder *e, enum frame_kind kind, size_t at) {
  lua_State *L = e->L;
  if (e->depth == WIRE_DEPTH_LIMIT)
    encoder_refuse(e, "nested deeper than 100000 levels");
  if (e->depth == e->frame_capacity)
    e->frames = wire_grow(L, e->frames, &e->frame_capacity, e->depth + 1,
                          sizeof *e->frames);
  int index = lua_gettop(L);
  if (index + 16 > e->reserved) {
    luaL_checkstack(L, 128, "cannot send so many values");
    e->reserved = index + 128;
  }
  encode_frame *f = &e->frames[e->depth++];
  memset(f, 0, sizeof *f);
  f->kind = (unsigned char)kind;
  f->index = index;
  f->at = at;
  return f;
}

bool encoder_is_globals(encoder *e, bool is_env) {
  return lua_topointer(e->L, -1) == e->globals || environment_is(e->L, -1) ||
         (is_env && environment_wraps(e->L, -1));
}

void encoder_refresh_names(encoder *e) {
  if (e->names_fresh)
    return;
  e->names_fresh = true;
  if (wire_names_refresh(e->L, &e->state->names)) {
    e->names_rebuilt = true;
    if (e->met.count > 0) /* what was met may have a name */
      encoder_leave(e, END_AGAIN);
  }
}

bool encoder_put_name(encoder *e) {
  wire_names *names = &e->state->names;
  if (wire_names_put(e->L, names, e->out, -1))
    return true;
  if (lua_type(e->L, -1) == LUA_TTABLE)
    return false;
  encoder_refresh_names(e);
  if (!e->names_rebuilt) {
    wire_names_rebuild(e->L, names);
    e->names_rebuilt = true;
  }
  return wire_names_put(e->L, names, e->out, -1);
}
