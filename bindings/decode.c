/* decode.c - bytes into Lua values, without recursion and without trust

   Scalars and functions known by their code are pushed at once. Anything that
   holds other values is built by a decoder: a stack of frames, inside a
   protected call, so that whatever raises, the decoder is free again. */
#include "decode.h"

#include "environment.h"

#include <lauxlib.h>

/* While a large message is read the collector waits, as it would mark again and
   again what grows. */
enum {
  LARGE = 16 << 10,   /* bytes of a message */
  GROWTH = 10,        /* so many times its size may be made of it until then */
  LONGEST = 256 << 20 /* bytes, in any case */
};

/* Return how many KiB may be made meanwhile; 0: it does not wait. */
static int leave(lua_State *L, size_t size) {
  if (size < LARGE || !lua_gc(L, LUA_GCISRUNNING))
    return 0;
  return (int)(size < LONGEST / GROWTH ? size * GROWTH : LONGEST) / 1024;
}

/* Read the section of globals into the environment. */
static void read_globals(decoder *d) {
  lua_State *L = d->L;
  while (decoder_byte(d) != 0) {
    decoder_push_string(d);
    decoder_push_value(d);
    environment_add(L, AT_ENVIRONMENT);
  }
}

/* The protected part: push all values that are left. */
static int run(lua_State *L) {
  decoder *d = lua_touserdata(L, AT_DECODER);
  d->L = L;
  if (d->keys == LUA_NOREF) {
    lua_newtable(L);
    d->keys = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, d->keys);
  lua_settop(L, AT_ENVIRONMENT);
  bool along = d->start[1] & WIRE_FLAG_GLOBALS;
  if (along) {
    environment_push(L);
    lua_replace(L, AT_ENVIRONMENT);
  }
  d->reserved = 0;
  for (uint64_t i = 0; i < d->count; i++)
    decoder_push_value(d);
  if (along)
    read_globals(d);
  decoder_set_late_metatables(L);
  if (decoder_byte(d) != WIRE_FINISH || d->p != d->end)
    decoder_fail(d, "truncated or too long");
  return lua_gettop(L) - AT_ENVIRONMENT;
}

/* Push the values from d->p on by a decoder. */
static void decode_rest(lua_State *L, wire_state *state, const decoder *task) {
  decoder *d = decoder_take(L, state);
  d->refused = false;
  d->mode = task->mode;
  d->start = task->start;
  d->end = task->end;
  d->p = task->p;
  d->budget = (size_t)(task->end - task->start);
  d->count = task->count;
  d->objects = task->objects;
  d->object_count = task->object_count;
  d->depth = d->key_count = 0;
  int kilobytes = leave(L, d->budget);
  if (kilobytes > 0)
    lua_gc(L, LUA_GCSTEP, -kilobytes); /* so much less is due */
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, d);
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  if (kilobytes > 0)
    lua_gc(L, LUA_GCSTEP, kilobytes);
  decoder_give(d);
  if (status != LUA_OK) {
    if (d->refused)
      wire_refuse(L, state);
    lua_error(L);
  }
}

static void refuse(lua_State *L, wire_state *state, const char *why) {
  lua_pushfstring(L, "malformed message: %s", why);
  wire_refuse(L, state);
}

int wire_decode_task(lua_State *L, wire_state *state, enum wire_mode mode,
                     const unsigned char *bytes, size_t size,
                     fut_object *const *objects, size_t object_count,
                     wire_lease *lease) {
  const unsigned char *p = bytes + 2, *next, *end = bytes + size;
  uint64_t done = 0, count = 0;
  if (lease)
    lease->place = NULL;
  if (mode != WIRE_THREAD)
    object_count = 0;
  if (size < 4 || bytes[0] != WIRE_VERSION)
    refuse(L, state, "not of this format");
  p = wire_get_varint(p, end, &count);
  if (p == NULL || count > (size_t)(end - p) || count > INT32_MAX / 2 ||
      !lua_checkstack(L, (int)count + 20))
    refuse(L, state, "too many values");
  const decode_known known = {state, mode, end, objects, object_count};
  bool along = bytes[1] & WIRE_FLAG_GLOBALS;
  for (; done < count && !along; done++, p = next) {
    next = wire_push_scalar(L, p, end);
    if (next == NULL)
      next = decode_known_function(L, &known, p, done == 0 ? lease : NULL);
    if (next == NULL)
      break;
  }
  if (done < count || along) {
    decoder task = {.mode = mode,
                    .p = p,
                    .end = end,
                    .start = bytes,
                    .objects = objects,
                    .object_count = object_count,
                    .count = count - done};
    decode_rest(L, state, &task);
  } else if (p + 1 != end || *p != WIRE_FINISH)
    refuse(L, state, "truncated or too long");
  return (int)count;
}

int wire_decode(lua_State *L, wire_state *state, enum wire_mode mode,
                const unsigned char *bytes, size_t size,
                fut_object *const *objects, size_t object_count) {
  return wire_decode_task(L, state, mode, bytes, size, objects, object_count,
                          NULL);
}
