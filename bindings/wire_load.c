/* wire_load.c - loading bytecode, as rarely as can be

   A closure kept for reuse is handed out as if it were new: its upvalues are
   set again each time, and if one of them was joined with that of another
   function in the meantime, a new closure takes its place. */
#include "wire_load.h"

#include "memory.h"

#include "wire_message.h"

#include <lauxlib.h>

static void clear(lua_State *L, loaded_code *place) {
  luaL_unref(L, LUA_REGISTRYINDEX, place->closure);
  fut_memory_free(place->identities);
  memset(place, 0, sizeof *place);
  place->closure = LUA_NOREF;
}

void load_cache_init(load_cache *cache) {
  memset(cache, 0, sizeof *cache);
  for (int i = 0; i < LOADED_LIMIT; i++)
    cache->shared[i].closure = LUA_NOREF;
  for (int i = 0; i < LEASED_LIMIT; i++)
    cache->leased[i].closure = LUA_NOREF;
}

void load_cache_fini(lua_State *L, load_cache *cache) {
  for (int i = 0; i < LOADED_LIMIT; i++)
    clear(L, &cache->shared[i]);
  for (int i = 0; i < LEASED_LIMIT; i++)
    clear(L, &cache->leased[i]);
}

bool code_load(lua_State *L, const wire_code *code) {
  /* Nothing in lua_load() gives the collector its turn, and the task may not
     either; making a string does. */
  lua_pushliteral(L, "");
  lua_pop(L, 1);
  int status =
      luaL_loadbufferx(L, (const char *)code->bytes, code->size, "=code", "b");
  if (status == LUA_ERRMEM)
    lua_error(L);
  return status == LUA_OK;
}

/* Push the closure of the place if it still has its own upvalues. */
static bool push_kept(lua_State *L, const loaded_code *place) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, place->closure);
  for (unsigned n = 0; n < place->upvalues; n++)
    if (lua_upvalueid(L, -1, (int)n + 1) != place->identities[n]) {
      lua_pop(L, 1);
      return false;
    }
  return true;
}

/* Load a closure, push it and keep it in the place. Returns as code_load(). */
static bool fill(lua_State *L, loaded_code *place, const wire_code *code) {
  if (!code_load(L, code))
    return false;
  clear(L, place); /* from here on nothing else of Lua runs */
  if (code->upvalues > 0) {
    place->identities =
        fut_memory_new(code->upvalues * sizeof *place->identities);
    if (place->identities == NULL)
      wire_no_memory(L);
  }
  for (unsigned n = 0; n < code->upvalues; n++)
    place->identities[n] = lua_upvalueid(L, -1, (int)n + 1);
  place->upvalues = code->upvalues;
  lua_pushvalue(L, -1);
  place->closure = luaL_ref(L, LUA_REGISTRYINDEX);
  place->id = code->id;
  return true;
}

bool load_cache_push_shared(lua_State *L, load_cache *cache,
                            const wire_code *code) {
  loaded_code *place = &cache->shared[code->id % LOADED_LIMIT];
  if (place->id != code->id || !push_kept(L, place))
    return fill(L, place, code); /* the first upvalue is the globals */
  if (place->upvalues > 0) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_setupvalue(L, -2, 1);
  }
  return true;
}

loaded_code *load_cache_lease(lua_State *L, load_cache *cache,
                              const wire_code *code) {
  loaded_code *place = &cache->leased[code->id % LEASED_LIMIT];
  if (place->busy)
    return NULL;
  if ((place->id != code->id || !push_kept(L, place)) &&
      !fill(L, place, code)) {
    lua_pop(L, 1); /* the message; loading again will say it again */
    return NULL;
  }
  place->busy = true;
  return place;
}
