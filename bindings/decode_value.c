/* decode_value.c - bytes into one value, whatever its kind

   A value that holds others is entered by a frame; the frames are worked off
   in a loop, so that depth costs no C stack. */
#include "decode.h"

#include <lauxlib.h>

static void push_object(decoder *d) {
  uint64_t index = decoder_varint(d);
  void (*push)(lua_State *, fut_object *) = d->state->hooks->push_object;
  if (push == NULL || index >= d->object_count ||
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

void decoder_push_string(decoder *d) {
  const char *s = NULL;
  size_t length = 0;
  const unsigned char *p = wire_get_string(d->p, d->end, &s, &length);
  if (p == NULL)
    decoder_fail(d, "truncated");
  d->p = p;
  lua_pushlstring(d->L, s, length);
}

static void push_named(decoder *d) {
  wire_name name;
  bool data = d->mode == WIRE_DATA;
  const unsigned char *p = wire_name_read(d->p - 1, d->end, &name);
  if (p == NULL)
    decoder_fail(d, "truncated");
  d->p = p;
  if (data && name.type == LUA_TFUNCTION)
    decoder_fail(d, "a function is not allowed");
  decoder_reserve(d);
  if (wire_names_push(d->L, &d->state->names, &name, !data))
    return;
  lua_pushfstring(d->L, "cannot receive a value by its name: %s",
                  lua_tostring(d->L, -1));
  decoder_refuse(d);
}

static void begin_reduced(decoder *d, bool shared, size_t at) {
  decoder_byte(d); /* its type, for those who only look */
  uint64_t count = decoder_varint(d);
  if (count == 0 || count > 250)
    decoder_fail(d, "bad number of parts");
  if (d->mode == WIRE_DATA)
    decoder_fail(d, "a function is not allowed");
  decode_frame *f = decoder_push_frame(d, IN_REDUCED, at);
  f->length = count;
  f->shared = shared;
}

static int l_tostring(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* The function that should rebuild a value has raised what is on top. */
static _Noreturn void refuse_rebuilding(decoder *d) {
  lua_State *L = d->L;
  decoder_reserve(d);
  lua_pushcfunction(L, l_tostring);
  lua_pushvalue(L, -2);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) /* its __tostring raised too */
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, -2));
  lua_pushfstring(L, "cannot rebuild a value: %s", lua_tostring(L, -1));
  decoder_refuse(d);
}

/* Gather function and arguments, then replace them by what it makes of them.
   The function is user code and may decode other messages. */
static bool step_reduced(decoder *d, decode_frame *f) {
  lua_State *L = d->L;
  while (f->done < f->length) {
    f->done++;
    decoder_reserve(d);
    if (!decoder_begin(d))
      return false;
  }
  int count = (int)f->length;
  bool shared = f->shared;
  size_t at = f->at;
  if (!lua_isfunction(L, -count))
    decoder_fail(d, "not a function");
  int status = lua_pcall(L, count - 1, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK)
    refuse_rebuilding(d);
  if (shared)
    decoder_keep_shared(d, at);
  return true;
}

/* The values that have a tag of their own for when they come again. */
static bool begin_kept(decoder *d, unsigned tag, size_t at) {
  bool shared = tag & WIRE_SHARED;
  size_t depth = d->depth;
  switch (tag & ~(unsigned)WIRE_SHARED) {
  case WIRE_TABLE:
  case WIRE_TABLE | WIRE_META:
    decoder_begin_table(d, tag, at);
    break;
  case WIRE_FUNCTION:
    decoder_begin_function(d, at);
    break;
  case WIRE_SOURCE:
    decoder_begin_source(d, shared, at);
    break;
  case WIRE_REDUCED:
    begin_reduced(d, shared, at);
    return false;
  case WIRE_LONG:
    decoder_push_string(d);
    break;
  case WIRE_CODE:
    decoder_push_code(d);
    break;
  case WIRE_MODULE:
  case WIRE_FIELD:
  case WIRE_REGISTERED:
    push_named(d);
    break;
  default:
    decoder_fail(d, "unknown or truncated value");
  }
  if (shared)
    decoder_keep_shared(d, at);
  return d->depth == depth; /* no frame was pushed */
}

bool decoder_begin(decoder *d) {
  lua_State *L = d->L;
  const unsigned char *p = wire_push_scalar(L, d->p, d->end);
  if (p != NULL) {
    d->p = p;
    return true;
  }
  size_t at = (size_t)(d->p - d->start);
  unsigned tag = decoder_byte(d);
  switch (tag) {
  case WIRE_TABLE:
    decoder_begin_table(d, tag, at);
    return false;
  case WIRE_REF:
    decoder_push_shared(d);
    return true;
  case WIRE_OBJECT:
    push_object(d);
    return true;
  case WIRE_POINTER:
    push_pointer(d);
    return true;
  case WIRE_GLOBALS:
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return true;
  case WIRE_ENVIRONMENT:
    if (lua_isnil(L, AT_ENVIRONMENT))
      decoder_fail(d, "no globals");
    lua_pushvalue(L, AT_ENVIRONMENT);
    return true;
  default:
    return begin_kept(d, tag, at);
  }
}

void decoder_push_value(decoder *d) {
  decoder_reserve(d);
  decoder_begin(d);
  while (d->depth > 0) {
    decode_frame *f = &d->frames[d->depth - 1];
    bool complete = f->part == IN_UPVALUES  ? decoder_step_function(d, f)
                    : f->part == IN_REDUCED ? step_reduced(d, f)
                                            : decoder_step_table(d, f);
    if (!complete || --d->depth == 0)
      continue;
    f = &d->frames[d->depth - 1];
    if (f->part == IN_UPVALUES)
      lua_setupvalue(d->L, -2, (int)f->done);
    else
      decoder_attach_to_table(d, f);
  }
}
