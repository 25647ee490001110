/* decode.c - bytes into Lua values, without recursion and without trust

   Scalars and functions known by their code are pushed at once. Anything that
   holds other values is built by a decoder: a stack of frames, inside a
   protected call, so that whatever raises, the decoder is free again. */
#include "decode.h"

#include <lauxlib.h>
#include <stdlib.h>

_Noreturn void decoder_fail(decoder *d, const char *why) {
  lua_pushfstring(d->L, "malformed message: %s", why);
  d->refused = true;
  lua_error(d->L);
  abort(); /* lua_error() does not return */
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

/* Push the value noted under the offset that comes next. */
static void push_shared(decoder *d) {
  uint64_t at = decoder_varint(d);
  if (lua_isnil(d->L, AT_SHARED) ||
      lua_rawgeti(d->L, AT_SHARED, (lua_Integer)at) == LUA_TNIL)
    decoder_fail(d, "reference to nothing");
}

decode_frame *decoder_push_frame(decoder *d, int state, size_t at) {
  lua_State *L = d->L;
  if (d->depth == WIRE_DEPTH_LIMIT)
    decoder_fail(d, "nested deeper than 100000 levels");
  if (d->depth == d->frame_capacity)
    d->frames = wire_grow(L, d->frames, &d->frame_capacity, d->depth + 1,
                          sizeof *d->frames);
  int top = lua_gettop(L);
  if (top + 16 > d->reserved) {
    if (!lua_checkstack(L, 128))
      decoder_fail(d, "too many values");
    d->reserved = top + 128;
  }
  decode_frame *f = &d->frames[d->depth++];
  memset(f, 0, sizeof *f);
  f->state = (unsigned char)state;
  f->at = at;
  return f;
}

/* The code that comes next. */
static const wire_code *read_code(decoder *d) {
  uint64_t index = decoder_varint(d);
  if (d->mode != WIRE_THREAD || index >= d->object_count ||
      d->objects[index]->kind != &wire_code_kind)
    decoder_fail(d, "no such function");
  return (const wire_code *)d->objects[index];
}

static void push_code(decoder *d, unsigned tag, size_t at) {
  if (!code_cache_push(d->L, &d->state->codes, read_code(d)))
    decoder_fail(d, "function cannot be loaded");
  if (tag & WIRE_SHARED)
    decoder_keep_shared(d, at);
}

static void begin_function(decoder *d, unsigned tag, size_t at) {
  const wire_code *code = read_code(d);
  decode_frame *f = decoder_push_frame(d, IN_UPVALUES, at);
  f->length = code->upvalues;
  if (!code_load(d->L, code))
    decoder_fail(d, "function cannot be loaded");
  if (tag & WIRE_SHARED)
    decoder_keep_shared(d, at);
}

static void push_object(decoder *d) {
  uint64_t index = decoder_varint(d);
  void (*push)(lua_State *, fut_object *) = d->state->hooks->push_object;
  if (d->mode != WIRE_THREAD || push == NULL || index >= d->object_count ||
      d->objects[index]->kind == &wire_code_kind)
    decoder_fail(d, "no such object");
  push(d->L, d->objects[index]);
}

static void push_pointer(decoder *d) {
  if (d->mode != WIRE_THREAD || d->end - d->p < 8)
    decoder_fail(d, "unexpected pointer");
  lua_pushlightuserdata(d->L, (void *)(uintptr_t)wire_get_u64(d->p));
  d->p += 8;
}

static void push_long(decoder *d, unsigned tag, size_t at) {
  uint64_t length = decoder_varint(d);
  if (length > (size_t)(d->end - d->p))
    decoder_fail(d, "truncated");
  lua_pushlstring(d->L, (const char *)d->p, (size_t)length);
  d->p += length;
  if (tag & WIRE_SHARED)
    decoder_keep_shared(d, at);
}

bool decoder_begin(decoder *d) {
  const unsigned char *p = wire_push_scalar(d->L, d->p, d->end);
  if (p != NULL) {
    d->p = p;
    return true;
  }
  size_t at = (size_t)(d->p - d->start);
  if (d->p == d->end)
    decoder_fail(d, "truncated");
  unsigned tag = *d->p++;
  switch (tag) {
  case WIRE_TABLE:
  case WIRE_TABLE | WIRE_SHARED:
  case WIRE_TABLE | WIRE_META:
  case WIRE_TABLE | WIRE_META | WIRE_SHARED:
    decoder_begin_table(d, tag, at);
    return false;
  case WIRE_FUNCTION:
  case WIRE_FUNCTION | WIRE_SHARED:
    begin_function(d, tag, at);
    return false;
  case WIRE_LONG:
  case WIRE_LONG | WIRE_SHARED:
    push_long(d, tag, at);
    return true;
  case WIRE_CODE:
  case WIRE_CODE | WIRE_SHARED:
    push_code(d, tag, at);
    return true;
  case WIRE_REF:
    push_shared(d);
    return true;
  case WIRE_OBJECT:
    push_object(d);
    return true;
  case WIRE_POINTER:
    push_pointer(d);
    return true;
  case WIRE_GLOBALS:
    lua_rawgeti(d->L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return true;
  default:
    decoder_fail(d, "unknown or truncated value");
    return true;
  }
}

/* Let the function on top have the upvalue of another as its own. */
static void join_upvalue(decoder *d, int n) {
  lua_State *L = d->L;
  d->p++;
  push_shared(d);
  int other = d->p < d->end ? *d->p++ : 0;
  if (!lua_isfunction(L, -1) || lua_iscfunction(L, -1) || other == 0 ||
      lua_getupvalue(L, -1, other) == NULL)
    decoder_fail(d, "no such upvalue");
  lua_pop(L, 1);
  lua_upvaluejoin(L, -2, n, -1, other);
  lua_pop(L, 1);
}

static bool step_function(decoder *d, decode_frame *f) {
  while (f->done < f->length) {
    int n = (int)++f->done;
    if (d->p < d->end && *d->p == WIRE_UPVALUE)
      join_upvalue(d, n);
    else if (!decoder_begin(d))
      return false;
    else
      lua_setupvalue(d->L, -2, n);
  }
  return true;
}

static void push_value(decoder *d) {
  decoder_begin(d);
  while (d->depth > 0) {
    decode_frame *f = &d->frames[d->depth - 1];
    bool complete = f->state == IN_UPVALUES ? step_function(d, f)
                                            : decoder_step_table(d, f);
    if (!complete || --d->depth == 0)
      continue;
    f = &d->frames[d->depth - 1];
    if (f->state == IN_UPVALUES)
      lua_setupvalue(d->L, -2, (int)f->done);
    else
      decoder_attach_to_table(d, f);
  }
}

/* The protected part: push all values that are left. */
static int decoder_run(lua_State *L) {
  decoder *d = lua_touserdata(L, AT_DECODER);
  d->L = L;
  if (d->keys == LUA_NOREF) {
    lua_newtable(L);
    d->keys = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, d->keys);
  lua_settop(L, AT_LATER); /* nothing shared, nothing for later */
  d->reserved = AT_LATER + LUA_MINSTACK;
  for (uint64_t i = 0; i < d->count; i++) {
    if (lua_gettop(L) + 16 > d->reserved) {
      if (!lua_checkstack(L, 128))
        decoder_fail(d, "too many values");
      d->reserved = lua_gettop(L) + 128;
    }
    push_value(d);
  }
  decoder_set_late_metatables(L);
  if (d->p == d->end || *d->p++ != WIRE_FINISH || d->p != d->end)
    decoder_fail(d, "truncated or too long");
  return lua_gettop(L) - AT_LATER;
}

/* Push the values from p on by a decoder. */
static void decode_rest(lua_State *L, wire_state *state, enum wire_mode mode,
                        const unsigned char *bytes, size_t size,
                        const unsigned char *p, uint64_t count,
                        fut_object *const *objects, size_t object_count) {
  decoder *d = wire_decoder_take(L, state);
  d->refused = false;
  d->mode = mode;
  d->start = bytes;
  d->end = bytes + size;
  d->p = p;
  d->budget = size;
  d->count = count;
  d->objects = objects;
  d->object_count = object_count;
  d->depth = d->key_count = 0;
  lua_pushcfunction(L, decoder_run);
  lua_pushlightuserdata(L, d);
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  d->busy = false;
  if (status != LUA_OK) {
    if (d->refused)
      wire_refuse(L, state);
    lua_error(L);
  }
}

/* Push the function whose code is named at p; returns as wire_push_scalar().
   Needs no decoder, as loading bytecode leaves nothing half done. */
static const unsigned char *push_known(lua_State *L, wire_state *state,
                                       const unsigned char *p,
                                       const unsigned char *end,
                                       fut_object *const *objects,
                                       size_t object_count) {
  if (end - p < 2 || *p != WIRE_CODE || p[1] >= 0x80 || p[1] >= object_count ||
      objects[p[1]]->kind != &wire_code_kind)
    return NULL;
  const wire_code *code = (const wire_code *)objects[p[1]];
  return code_cache_push(L, &state->codes, code) ? p + 2 : NULL;
}

static void refuse(lua_State *L, wire_state *state, const char *why) {
  lua_pushfstring(L, "malformed message: %s", why);
  wire_refuse(L, state);
}

int wire_decode(lua_State *L, wire_state *state, enum wire_mode mode,
                const unsigned char *bytes, size_t size,
                fut_object *const *objects, size_t object_count) {
  const unsigned char *p = bytes + 2, *next, *end = bytes + size;
  uint64_t done = 0, count = 0;
  if (size < 4 || bytes[0] != WIRE_VERSION)
    refuse(L, state, "not of this format");
  for (unsigned shift = 0; p < end && shift < 28; shift += 7) {
    count |= (uint64_t)(*p & 0x7F) << shift;
    if (*p++ < 0x80)
      break;
  }
  if (count > (size_t)(end - p) || !lua_checkstack(L, (int)count + 16))
    refuse(L, state, "too many values");
  for (; done < count; done++, p = next) {
    next = wire_push_scalar(L, p, end);
    if (next == NULL && mode == WIRE_THREAD)
      next = push_known(L, state, p, end, objects, object_count);
    if (next == NULL)
      break;
  }
  if (done < count)
    decode_rest(L, state, mode, bytes, size, p, count - done, objects,
                object_count);
  else if (p + 1 != end || *p != WIRE_FINISH)
    refuse(L, state, "truncated or too long");
  return (int)count;
}
