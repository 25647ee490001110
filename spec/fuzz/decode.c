/* decode.c - a libFuzzer target: any bytes to the decoder

   Each input is decoded as data, and what comes of it is encoded and decoded
   again; then with functions, in a state that can do no harm, and once more,
   when their source is known. Memory must stay in proportion to the input.
   Build with clang -fsanitize=fuzzer,address. */
#include "wire.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct heap {
  size_t used, limit;
} heap;

static void *allocate(void *context, void *block, size_t old, size_t size) {
  heap *h = context;
  if (block == NULL)
    old = 0;
  if (size == 0) {
    h->used -= old;
    free(block);
    return NULL;
  }
  if (size > old && h->used - old + size > h->limit)
    return NULL;
  void *grown = realloc(block, size);
  if (grown)
    h->used = h->used - old + size;
  return grown;
}

static int refused; /* what was raised last was a refusal */

static void refuse(lua_State *L, const char *message) {
  refused = 1;
  lua_pushstring(L, message);
  lua_error(L);
}

static const wire_hooks hooks = {.refuse = refuse};

struct input {
  const uint8_t *bytes;
  size_t size;
  wire_state *wire;
  wire_message *message;
  wire_lease lease;
};

/* (input) -> the values */
static int decode(lua_State *L) {
  struct input *in = lua_touserdata(L, 1);
  return wire_decode(L, in->wire, WIRE_DATA, in->bytes, in->size, NULL, 0);
}

/* (input, ...) -> the values again */
static int repeat(lua_State *L) {
  struct input *in = lua_touserdata(L, 1);
  wire_encode(L, in->wire, 2, lua_gettop(L) - 1, WIRE_PORTABLE, "result",
              in->message);
  return wire_decode(L, in->wire, WIRE_DATA, in->message->bytes,
                     in->message->size, NULL, 0);
}

static void stop(lua_State *L, lua_Debug *info) {
  (void)info;
  luaL_error(L, "too long");
}

/* Make the state harmless: (input) -> wire state */
static int prepare(lua_State *L) {
  struct input *in = lua_touserdata(L, 1);
  static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
                                       {LUA_TABLIBNAME, luaopen_table},
                                       {LUA_STRLIBNAME, luaopen_string},
                                       {LUA_MATHLIBNAME, luaopen_math},
                                       {NULL, NULL}};
  for (const luaL_Reg *library = libraries; library->func; library++) {
    luaL_requiref(L, library->name, library->func, 1);
    lua_pop(L, 1);
  }
  static const char *const harmful[] = {"dofile", "loadfile", "print", "warn"};
  for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++) {
    lua_pushnil(L);
    lua_setglobal(L, harmful[i]);
  }
  in->wire = wire_state_push(L);
  wire_state_set_hooks(in->wire, &hooks);
  return 1;
}

static int decode_functions(lua_State *L) {
  struct input *in = lua_touserdata(L, 1);
  lua_sethook(L, stop, LUA_MASKCOUNT, 100000);
  wire_decode_task(L, in->wire, WIRE_PORTABLE, in->bytes, in->size, NULL, 0,
                   &in->lease);
  return 0;
}

static void check(int holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "%s\n", what);
    abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static heap h = {0, SIZE_MAX};
  static lua_State *L;
  static wire_state *wire;
  static wire_message message;
  if (L == NULL) {
    L = lua_newstate(allocate, &h);
    luaL_openlibs(L);
    wire = wire_state_push(L);
    wire_state_set_hooks(wire, &hooks);
    wire_message_init(&message);
    lua_gc(L, LUA_GCGEN, 0, 0);
  }
  /* the sanitizer finds reads past the end only of a block of its own */
  uint8_t *bytes = memcpy(malloc(size + 1), data, size);
  struct input in = {bytes, size, wire, &message, {NULL}};
  lua_settop(L, 1); /* the wire state */
  size_t before = h.used;
  h.limit = before + (1 << 20) + size * 400;
  refused = 0;
  lua_pushcfunction(L, decode);
  lua_pushlightuserdata(L, &in);
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  check(status != LUA_ERRMEM, "too much memory");
  check(status == LUA_OK || refused, "another error than a refusal");
  if (status == LUA_OK) {
    h.limit = SIZE_MAX;
    refused = 0;
    int count = lua_gettop(L) - 1;
    lua_pushcfunction(L, repeat);
    lua_pushlightuserdata(L, &in);
    lua_rotate(L, 2, 2);
    status = lua_pcall(L, count + 1, LUA_MULTRET, 0);
    check(status == LUA_OK || refused, "cannot be repeated");
    check(status != LUA_OK || lua_gettop(L) - 1 == count, "not the same");
  }
  lua_settop(L, 1);
  heap own = {0, (4 << 20) + size * 400};
  lua_State *other = lua_newstate(allocate, &own);
  lua_pushcfunction(other, prepare);
  lua_pushlightuserdata(other, &in);
  if (lua_pcall(other, 1, 1, 0) == LUA_OK)
    for (int i = 0; i < 3; i++) { /* the second time its closures are kept */
      lua_pushcfunction(other, decode_functions);
      lua_pushlightuserdata(other, &in);
      lua_pcall(other, 1, 0, 0);
      wire_lease_end(&in.lease);
      lua_sethook(other, NULL, 0, 0);
      lua_settop(other, 1);
    }
  lua_close(other);
  free(bytes);
  return 0;
}
