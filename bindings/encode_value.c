/* encode_value.c - one value into bytes, whatever its kind

   A value that holds others is entered by a frame; the frames are worked off
   in a loop, so that depth costs no C stack. */
#include "encode.h"

bool encoder_begin_userdata(encoder *e) {
  lua_State *L = e->L;
  fut_object *object = NULL;
  if (e->mode == WIRE_THREAD && e->state->hooks->object)
    object = e->state->hooks->object(L, lua_gettop(L));
  if (object != NULL) {
    encoder_put_number(e, WIRE_OBJECT, wire_message_add(L, e->out, object));
    return true;
  }
  if (encoder_put_met(e, lua_topointer(L, -1)))
    return true;
  if (encoder_begin_reduced(e))
    return false;
  if (!encoder_put_name(e))
    encoder_refuse(e, "userdata");
  return true;
}

static void put_pointer(encoder *e) {
  if (e->mode != WIRE_THREAD) {
    if (!encoder_put_name(e))
      encoder_refuse(e, "light userdata");
    return;
  }
  unsigned char *p = wire_reserve(e->L, e->out, 16);
  *p = WIRE_POINTER;
  wire_put_u64(p + 1, (uint64_t)(uintptr_t)lua_touserdata(e->L, -1));
  e->out->size += 9;
}

bool encoder_begin(encoder *e) {
  lua_State *L = e->L;
  int type = lua_type(L, -1);
  bool complete = true;
  switch (type) {
  case LUA_TNIL:
  case LUA_TBOOLEAN:
  case LUA_TNUMBER:
    wire_put_simple(L, e->out, -1, type);
    break;
  case LUA_TSTRING: {
    size_t length;
    const char *s = lua_tolstring(L, -1, &length);
    if (length <= WIRE_SHORT_LIMIT || !encoder_put_met(e, s))
      wire_put_string(L, e->out, s, length);
    break;
  }
  case LUA_TTABLE:
    complete = encoder_begin_table(e);
    break;
  case LUA_TFUNCTION:
    complete = encoder_begin_function(e);
    break;
  case LUA_TUSERDATA:
    complete = encoder_begin_userdata(e);
    break;
  case LUA_TLIGHTUSERDATA:
    put_pointer(e);
    break;
  default:
    encoder_refuse(e, lua_typename(L, type));
  }
  if (complete)
    lua_pop(L, 1);
  return complete;
}

void encoder_put_value(encoder *e) {
  encoder_begin(e);
  while (e->depth > 0) {
    encode_frame *f = &e->frames[e->depth - 1];
    switch (f->kind) {
    case FRAME_TABLE:
      encoder_step_table(e, f);
      break;
    case FRAME_FUNCTION:
      encoder_step_function(e, f);
      break;
    default:
      encoder_step_reduced(e, f);
    }
  }
}
