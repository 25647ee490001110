/* wire_code.h - the bytecode of functions, shared by the states of a process */
#ifndef FUT_WIRE_CODE_H
#define FUT_WIRE_CODE_H

#include "bytecode.h"
#include "wire.h"

#include <stdint.h>

enum { CODE_SHELVES = 4 }; /* pools that one source is remembered for */

/* Any thread may read it, for it is never changed after it was made, but for
   the source. */
typedef struct wire_code {
  fut_object object; /* its count changes with every task that ends ... */
  char apart[64];    /* ... and is not in the way of those that begin */
  unsigned stock;    /* references taken for messages to come; only for the
                        state that made the code */
  char apart_again[64];
  uint64_t id; /* of no other code of this process */
  uint64_t hash;
  size_t size;
  unsigned upvalues;
  unsigned env;         /* the upvalue that held the globals, 0 if none did */
  bool known;           /* facts are known */
  bytecode_facts facts; /* of the upvalues */
  size_t globals_size;  /* the globals that it names and a new state lacks: */
  const unsigned char *globals; /* length in 4 bytes, name; lie behind bytes */
  unsigned char *source; /* how it begins in a message, its tag and text, or
                            NULL; only for the state that made the code */
  size_t source_size;
  struct {
    uint64_t executor; /* its number; 0: none */
    uint64_t place;
  } shelved[CODE_SHELVES]; /* where the source lies; only for that state, too */
  unsigned next_shelf;
  unsigned char bytes[]; /* as lua_dump wrote them, not stripped */
} wire_code;

extern const fut_object_kind wire_code_kind;

enum {
  CODE_LIMIT = 512,          /* codes that a state keeps, a power of two */
  CODE_BYTE_LIMIT = 4 << 20, /* and how much bytecode and source */
};

/* What a state knows of the functions that leave it. */
typedef struct code_cache {
  int functions; /* reference of a weak table from function to code, or
                    LUA_NOREF */
  const char *const *fresh; /* as for fresh_global() */
  wire_code **codes;        /* CODE_LIMIT * 2, or NULL before the first; open
                               addressing; holds a reference to each */
  size_t count, byte_count;
  unsigned char *dump; /* scratch: bytes, then globals */
  size_t dump_size, dump_capacity;
} code_cache;

void code_cache_init(code_cache *cache);
/* L may be closing. */
void code_cache_fini(lua_State *L, code_cache *cache);

/* Return the code of the Lua function at index, held by the cache: it stays
   only until the next call. Needs 4 stack slots. Raises a memory error. */
wire_code *code_cache_find(lua_State *L, code_cache *cache, int index);

/* The same if the function was met before, else NULL. Never runs the
   collector. */
wire_code *code_cache_peek(lua_State *L, code_cache *cache, int index);

/* Add a function that is not known and return its code; NULL if the cache must
   be emptied first. Never runs the collector. Raises a memory error. */
wire_code *code_cache_add(lua_State *L, code_cache *cache, int index);

/* Append a reference to code, which is in the cache, to the message; return its
   index. Raises a memory error. */
size_t code_cache_put(lua_State *L, wire_message *message, wire_code *code);

/* Keep a copy of how the source of code begins in a message. Requires that
   code is in the cache. Raises a memory error. */
void code_cache_keep_source(lua_State *L, code_cache *cache, wire_code *code,
                            const unsigned char *bytes, size_t size);

/* Forget the sources of all codes: other ones may be found now. */
void code_cache_forget_sources(code_cache *cache);

/* Forget the function on top, so that it is not known by its code. */
void code_cache_forget(lua_State *L, code_cache *cache);

/* Whether code has no upvalue but one that may hold the globals, and never
   changes that. */
static inline bool code_is_simple(const wire_code *code) {
  return code->upvalues == 0 ||
         (code->upvalues == 1 && code->env == 1 && code->known &&
          !bytecode_has(code->facts.assigned, 0));
}

/* Step through the names: return the next and set *length, or NULL at the
   end. *at is 0 at first. */
const char *code_next_global(const wire_code *code, size_t *at, size_t *length);

#endif
