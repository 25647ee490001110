/* wire_load.h - closures of bytecode that has come, kept for the next time */
#ifndef FUT_WIRE_LOAD_H
#define FUT_WIRE_LOAD_H

#include "wire_code.h"

enum { LOADED_LIMIT = 64, LEASED_LIMIT = 16 };

/* A closure that is handed out again and again. */
typedef struct loaded_code {
  uint64_t id; /* of its code, 0 if there is none */
  int closure; /* reference in the registry */
  bool busy;   /* leased */
  unsigned upvalues;
  const void **identities; /* of the upvalues; NULL if there is none */
} loaded_code;

/* Two direct mapped caches: a place is taken over by whichever code comes. */
typedef struct load_cache {
  loaded_code shared[LOADED_LIMIT]; /* no upvalue but the globals: any number
                                       of users at once */
  loaded_code leased[LEASED_LIMIT]; /* upvalues that are set for each use, so
                                       one user at a time */
} load_cache;

void load_cache_init(load_cache *cache);
/* L may be closing. */
void load_cache_fini(lua_State *L, load_cache *cache);

/* Push a new closure of code; its upvalues are nil, but the first is the
   table of globals. Returns false, and pushes a message, if the bytes do not
   load. Raises a memory error. */
bool code_load(lua_State *L, const wire_code *code);

/* Push the closure of code, which code_is_simple(), for any number of users.
   Returns as code_load(). */
bool load_cache_push_shared(lua_State *L, load_cache *cache,
                            const wire_code *code);

/* Push the closure of code for one user, and return its place, marked busy
   until the user clears that. All upvalues are still to be set. Returns NULL,
   with nothing pushed, if the place is taken. */
loaded_code *load_cache_lease(lua_State *L, load_cache *cache,
                              const wire_code *code);

#endif
