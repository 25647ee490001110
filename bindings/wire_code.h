/* wire_code.h - the bytecode of functions, shared by the states of a process */
#ifndef FUT_WIRE_CODE_H
#define FUT_WIRE_CODE_H

#include "wire.h"

#include <stdint.h>

/* Never changed after it was made, so any thread may read it. */
typedef struct wire_code {
  fut_object object;
  uint64_t id; /* of no other code of this process */
  uint64_t hash;
  size_t size;
  unsigned upvalues;
  unsigned char bytes[]; /* as lua_dump wrote them, with debug information */
} wire_code;

extern const fut_object_kind wire_code_kind;

enum {
  CODE_LIMIT = 512,          /* codes that a state keeps, power of two */
  CODE_BYTE_LIMIT = 4 << 20, /* and how much bytecode */
};

/* What a state knows of functions that leave and that have come. */
typedef struct code_cache {
  /* Leaving: functions -> code in a weak table of Lua, codes by content. */
  int functions; /* reference in the registry, LUA_NOREF before first use */
  wire_code *codes[CODE_LIMIT * 2]; /* open addressing; holds a reference */
  size_t count, byte_count;
  unsigned char *dump; /* scratch */
  size_t dump_size, dump_capacity;
  /* Come: closures with no upvalue but the globals, direct mapped. */
  struct code_loaded {
    uint64_t id;
    int closure;         /* reference in the registry */
    const void *upvalue; /* identity of the first, NULL if it has none */
  } loaded[CODE_LIMIT];
} code_cache;

void code_cache_init(code_cache *cache);
/* L may be closing. */
void code_cache_fini(lua_State *L, code_cache *cache);

/* Return the code of the Lua function at index, held by the cache: it stays
   only until the next call. Needs 4 stack slots. */
wire_code *code_cache_find(lua_State *L, code_cache *cache, int index);

/* The same if the function was met before, else NULL; never runs the
   collector. */
wire_code *code_cache_peek(lua_State *L, code_cache *cache, int index);

/* Push a closure of code of its own; upvalues are nil, but the first is the
   table of globals. Returns false with a message if code cannot be loaded. */
bool code_load(lua_State *L, const wire_code *code);

/* Push a closure of code that all users in this state share: code has no
   upvalue or one, which is set to the globals again. Returns as code_load(). */
bool code_cache_push(lua_State *L, code_cache *cache, const wire_code *code);

/* Whether the Lua function at index has no upvalue, or one that holds the
   globals. Requires that code is its code. */
bool code_is_free(lua_State *L, const wire_code *code, int index);

#endif
