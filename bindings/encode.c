/* encode.c - Lua values into bytes, in one pass and without recursion

   Scalars and functions that were sent before are written at once. Anything
   that may hold other values is encoded by an encoder: a stack of frames, so
   that depth costs no C stack, inside a protected call, so that whatever
   raises, the encoder is free again afterwards. A value that was met before
   becomes a reference; only then is the tag of its first occurrence turned
   into the one that tells the decoder to keep it. */
#include "encode.h"

#include <lauxlib.h>

/* Write the text of a function's code, add the code to the objects. */
static void put_code(lua_State *L, wire_message *out, wire_code *code,
                     enum wire_tag tag) {
  size_t index = wire_message_add(L, out, &code->object);
  unsigned char *p = wire_reserve(L, out, 16);
  *p++ = (unsigned char)tag;
  p = wire_put_varint(p, index);
  out->size = (size_t)(p - out->bytes);
}

static void put_offset(encoder *e, enum wire_tag tag, size_t offset) {
  unsigned char *p = wire_reserve(e->L, e->out, 16);
  *p++ = (unsigned char)tag;
  p = wire_put_varint(p, offset);
  e->out->size = (size_t)(p - e->out->bytes);
}

/* Whether pointer was met: then write a reference to it. Else it is noted as
   lying here. */
static bool put_met(encoder *e, const void *pointer) {
  bool found;
  pointer_entry *entry = pointer_map_enter(e->L, &e->met, pointer, &found);
  if (found) {
    e->out->bytes[entry->value] |= WIRE_SHARED;
    put_offset(e, WIRE_REF, entry->value);
  } else
    entry->value = e->out->size & ((UINT64_C(1) << 40) - 1);
  return found;
}

static encode_frame *push_frame(encoder *e, int kind) {
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
  f->at = e->out->size;
  return f;
}

static bool begin_function(encoder *e) {
  lua_State *L = e->L;
  if (lua_iscfunction(L, -1))
    encoder_refuse(e, "C function");
  if (e->mode != WIRE_THREAD)
    encoder_refuse(e, "function");
  if (put_met(e, lua_topointer(L, -1)))
    return true;
  wire_code *code = code_cache_find(L, &e->state->codes, -1);
  if (code_is_free(L, code, -1)) {
    put_code(L, e->out, code, WIRE_CODE);
    return true;
  }
  unsigned upvalues = code->upvalues;
  size_t at = e->out->size;
  put_code(L, e->out, code, WIRE_FUNCTION);
  encode_frame *f = push_frame(e, LUA_TFUNCTION);
  f->at = at;
  f->length = upvalues;
  return false;
}

static bool begin_table(encoder *e) {
  lua_State *L = e->L;
  const void *pointer = lua_topointer(L, -1);
  if (pointer == e->globals) {
    *wire_reserve(L, e->out, 1) = WIRE_GLOBALS;
    e->out->size++;
    return true;
  }
  if (put_met(e, pointer))
    return true;
  encode_frame *f = push_frame(e, LUA_TTABLE);
  if (lua_getmetatable(L, -1)) {
    f->meta = true;
    lua_pop(L, 1);
  }
  f->length = (lua_Integer)lua_rawlen(L, -1);
  unsigned char *p = wire_reserve(L, e->out, 16), *header = p + 1;
  *p = (unsigned char)(WIRE_TABLE | (f->meta ? WIRE_META : 0));
  p = wire_put_varint(header, (uint64_t)f->length);
  f->header = f->at + 1;
  f->length_size = (unsigned char)(p - header);
  *p++ = 0;
  e->out->size = (size_t)(p - e->out->bytes);
  lua_pushnil(L); /* first key: before the first */
  return false;
}

static bool begin_userdata(encoder *e) {
  lua_State *L = e->L;
  fut_object *object = NULL;
  if (e->mode == WIRE_THREAD && e->state->hooks->object)
    object = e->state->hooks->object(L, lua_gettop(L));
  if (object == NULL)
    encoder_refuse(e, "userdata");
  put_offset(e, WIRE_OBJECT, wire_message_add(L, e->out, object));
  return true;
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
    if (length <= WIRE_SHORT_LIMIT || !put_met(e, s))
      wire_put_string(L, e->out, s, length);
    break;
  }
  case LUA_TTABLE:
    complete = begin_table(e);
    break;
  case LUA_TFUNCTION:
    complete = begin_function(e);
    break;
  case LUA_TUSERDATA:
    complete = begin_userdata(e);
    break;
  case LUA_TLIGHTUSERDATA:
    if (e->mode != WIRE_THREAD)
      encoder_refuse(e, "light userdata");
    wire_put_pointer(L, e->out, -1);
    break;
  default:
    encoder_refuse(e, lua_typename(L, type));
  }
  if (complete)
    lua_pop(L, 1);
  return complete;
}

/* Go on with the upvalues; a function's frame has no state but their number.
   An upvalue that another function has too is shared with that one, but the
   globals are the receiver's anyway. */
static void step_function(encoder *e, encode_frame *f) {
  lua_State *L = e->L;
  while (f->done < f->length) {
    int n = (int)++f->done;
    lua_getupvalue(L, f->index, n);
    if (lua_topointer(L, -1) != e->globals) {
      bool found;
      void *identity = lua_upvalueid(L, f->index, n);
      pointer_entry *entry = pointer_map_enter(L, &e->met, identity, &found);
      if (found) {
        wire_upvalue *first = &e->upvalues[entry->value];
        e->out->bytes[first->function] |= WIRE_SHARED;
        put_offset(e, WIRE_UPVALUE, first->function);
        *wire_reserve(L, e->out, 1) = (unsigned char)first->number;
        e->out->size++;
        lua_pop(L, 1);
        continue;
      }
      entry->value = e->upvalue_count & ((UINT64_C(1) << 40) - 1);
      if (e->upvalue_count == e->upvalue_capacity)
        e->upvalues = wire_grow(L, e->upvalues, &e->upvalue_capacity,
                                e->upvalue_count + 1, sizeof *e->upvalues);
      e->upvalues[e->upvalue_count++] = (wire_upvalue){f->at, n};
    }
    if (!encoder_begin(e))
      return;
  }
  lua_pop(L, 1); /* the function */
  e->depth--;
}

/* Encode the value on top of the stack and pop it. */
static void put_value(encoder *e) {
  encoder_begin(e);
  while (e->depth > 0) {
    encode_frame *f = &e->frames[e->depth - 1];
    if (f->kind == LUA_TTABLE)
      encoder_step_table(e, f);
    else
      step_function(e, f);
  }
}

/* The protected part: encode all arguments but the first, the encoder. */
static int encoder_run(lua_State *L) {
  encoder *e = lua_touserdata(L, 1);
  int last = lua_gettop(L);
  e->L = L;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  e->globals = lua_topointer(L, -1);
  lua_pop(L, 1);
  for (int i = 2; i <= last; i++, e->root++) {
    lua_pushvalue(L, i);
    put_value(e);
  }
  return 0;
}

/* Encode the values from number done + 1 on, which need an encoder. */
static void encode_rest(lua_State *L, wire_state *state, int first, int count,
                        int done, enum wire_mode mode, const char *what,
                        wire_message *out) {
  luaL_checkstack(L, count - done + 8, "too many values to send");
  encoder *e = wire_encoder_take(L, state);
  e->refused = false;
  e->mode = mode;
  e->out = out;
  e->what = what;
  e->root = done + 1;
  e->count = count;
  e->depth = e->upvalue_count = e->key_count = 0;
  e->last_key = 0;
  e->reserved = 0;
  pointer_map_clear(&e->met);
  lua_pushcfunction(L, encoder_run);
  lua_pushlightuserdata(L, e);
  for (int i = done; i < count; i++)
    lua_pushvalue(L, first + i);
  int status = lua_pcall(L, count - done + 1, 0, 0);
  e->busy = false;
  if (status != LUA_OK) {
    if (e->refused)
      wire_refuse(L, state);
    lua_error(L);
  }
}

void wire_encode(lua_State *L, wire_state *state, int first, int count,
                 enum wire_mode mode, const char *what, wire_message *out) {
  first = lua_absindex(L, first);
  luaL_checkstack(L, 8, "too many values to send");
  wire_message_clear(out);
  unsigned char flags = WIRE_FLAG_PLAIN;
  unsigned char *p = wire_reserve(L, out, 64);
  p[0] = WIRE_VERSION;
  p = wire_put_varint(p + 2, (uint64_t)count);
  out->size = (size_t)(p - out->bytes);
  for (int i = 0; i < count; i++) {
    int index = first + i, type = lua_type(L, index);
    size_t length;
    const char *s;
    wire_code *code;
    if (wire_put_simple(L, out, index, type))
      continue;
    if (type == LUA_TSTRING) {
      s = lua_tolstring(L, index, &length);
      wire_put_string(L, out, s, length);
      continue;
    }
    flags = 0;
    if (type == LUA_TFUNCTION && mode == WIRE_THREAD &&
        (code = code_cache_peek(L, &state->codes, index)) != NULL &&
        code_is_free(L, code, index)) {
      put_code(L, out, code, WIRE_CODE);
      continue;
    }
    encode_rest(L, state, first, count, i, mode, what, out);
    break;
  }
  *wire_reserve(L, out, 1) = WIRE_FINISH;
  out->size++;
  out->bytes[1] = flags;
}
