/* wire_code.c - dumping, sharing and loading bytecode, each as rarely as can be

   A function that leaves is looked up in a weak table; new ones are dumped
   and interned by content, so all closures of one prototype share one code
   and, by its id, one place in every receiver. Both caches are bounded: the
   one of codes is emptied when full, a place of the loaded ones is taken over
   by whichever code comes later. */
#include "wire_code.h"

#include "memory.h"

#include "wire_message.h"

#include <lauxlib.h>

static void free_code(fut_object *object) { fut_memory_free(object); }

const fut_object_kind wire_code_kind = {"code", free_code};

static uint64_t next_id(void) {
  static atomic_uint_least64_t last;
  /* relaxed: only that no two are equal matters */
  return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static uint64_t hash_bytes(const unsigned char *bytes, size_t size) {
  uint64_t hash = size * UINT64_C(0x9E3779B97F4A7C15), word;
  for (; size >= 8; bytes += 8, size -= 8) {
    memcpy(&word, bytes, 8);
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    hash ^= hash >> 29;
  }
  while (size-- > 0)
    hash = (hash ^ *bytes++) * UINT64_C(0x100000001B3);
  return hash ^ hash >> 32;
}

void code_cache_init(code_cache *cache) {
  memset(cache, 0, sizeof *cache);
  cache->functions = LUA_NOREF;
  for (int i = 0; i < CODE_LIMIT; i++)
    cache->loaded[i].closure = LUA_NOREF;
}

static void drop_codes(code_cache *cache) {
  for (int i = 0; i < CODE_LIMIT * 2; i++)
    if (cache->codes[i]) {
      fut_object_release(&cache->codes[i]->object);
      cache->codes[i] = NULL;
    }
  cache->count = cache->byte_count = 0;
}

void code_cache_fini(lua_State *L, code_cache *cache) {
  luaL_unref(L, LUA_REGISTRYINDEX, cache->functions);
  for (int i = 0; i < CODE_LIMIT; i++)
    luaL_unref(L, LUA_REGISTRYINDEX, cache->loaded[i].closure);
  drop_codes(cache);
  fut_memory_free(cache->dump);
  code_cache_init(cache);
}

wire_code *code_cache_peek(lua_State *L, code_cache *cache, int index) {
  if (cache->functions == LUA_NOREF)
    return NULL;
  lua_pushvalue(L, index);
  lua_rawgeti(L, LUA_REGISTRYINDEX, cache->functions);
  lua_insert(L, -2);
  lua_rawget(L, -2); /* table, code or nil */
  wire_code *code = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return code;
}

/* Make an empty weak table of functions; codes are dropped only when no
   entry points to them any more. */
static void renew_functions(lua_State *L, code_cache *cache) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  if (cache->functions == LUA_NOREF)
    cache->functions = luaL_ref(L, LUA_REGISTRYINDEX);
  else
    lua_rawseti(L, LUA_REGISTRYINDEX, cache->functions);
  drop_codes(cache);
}

static int append_dump(lua_State *L, const void *bytes, size_t size,
                       void *context) {
  code_cache *cache = context;
  (void)L; /* raising here would be lost to lua_dump's caller */
  size_t needed = cache->dump_size + size;
  if (needed > cache->dump_capacity) {
    void *grown = fut_memory_resize(cache->dump, needed * 2);
    if (grown == NULL)
      return 1;
    cache->dump = grown;
    cache->dump_capacity = needed * 2;
  }
  memcpy(cache->dump + cache->dump_size, bytes, size);
  cache->dump_size = needed;
  return 0;
}

static unsigned count_upvalues(lua_State *L, int index) {
  lua_Debug info;
  lua_pushvalue(L, index);
  lua_getinfo(L, ">u", &info);
  return info.nups;
}

/* Return the code that has the bytes in cache->dump, made if need be. */
static wire_code *intern(lua_State *L, code_cache *cache, unsigned upvalues) {
  uint64_t hash = hash_bytes(cache->dump, cache->dump_size);
  size_t mask = CODE_LIMIT * 2 - 1, at = (size_t)hash & mask;
  for (; cache->codes[at]; at = (at + 1) & mask) {
    wire_code *code = cache->codes[at];
    if (code->hash == hash && code->size == cache->dump_size &&
        memcmp(code->bytes, cache->dump, code->size) == 0)
      return code;
  }
  wire_code *code = fut_memory_new(sizeof *code + cache->dump_size);
  if (code == NULL)
    wire_no_memory(L);
  fut_object_init(&code->object, &wire_code_kind);
  code->id = next_id();
  code->hash = hash;
  code->size = cache->dump_size;
  code->upvalues = upvalues;
  memcpy(code->bytes, cache->dump, cache->dump_size);
  cache->codes[at] = code;
  cache->count++;
  cache->byte_count += code->size;
  return code;
}

wire_code *code_cache_find(lua_State *L, code_cache *cache, int index) {
  wire_code *code = code_cache_peek(L, cache, index);
  if (code != NULL)
    return code;
  index = lua_absindex(L, index);
  if (cache->functions == LUA_NOREF || cache->count >= CODE_LIMIT ||
      cache->byte_count > CODE_BYTE_LIMIT)
    renew_functions(L, cache);
  unsigned upvalues = count_upvalues(L, index);
  lua_rawgeti(L, LUA_REGISTRYINDEX, cache->functions);
  lua_pushvalue(L, index); /* functions, function */
  cache->dump_size = 0;
  if (lua_dump(L, append_dump, cache, 0) != 0)
    wire_no_memory(L);
  code = intern(L, cache, upvalues);
  lua_pushlightuserdata(L, code);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return code;
}

bool code_load(lua_State *L, const wire_code *code) {
  int status =
      luaL_loadbufferx(L, (const char *)code->bytes, code->size, "=code", "b");
  if (status == LUA_ERRMEM)
    lua_error(L);
  return status == LUA_OK;
}

bool code_cache_push(lua_State *L, code_cache *cache, const wire_code *code) {
  struct code_loaded *place = &cache->loaded[code->id % CODE_LIMIT];
  if (place->id == code->id) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, place->closure);
    if (place->upvalue == NULL)
      return true;
    if (lua_upvalueid(L, -1, 1) == place->upvalue) { /* not joined since */
      lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
      lua_setupvalue(L, -2, 1);
      return true;
    }
    lua_pop(L, 1);
  }
  if (!code_load(L, code))
    return false;
  place->id = 0; /* until all is in place */
  lua_pushvalue(L, -1);
  if (place->closure == LUA_NOREF)
    place->closure = luaL_ref(L, LUA_REGISTRYINDEX);
  else
    lua_rawseti(L, LUA_REGISTRYINDEX, place->closure);
  place->upvalue = code->upvalues ? lua_upvalueid(L, -1, 1) : NULL;
  place->id = code->id;
  return true;
}

bool code_is_free(lua_State *L, const wire_code *code, int index) {
  if (code->upvalues == 0)
    return true;
  if (code->upvalues > 1)
    return false;
  lua_getupvalue(L, index, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  bool same = lua_topointer(L, -1) == lua_topointer(L, -2);
  lua_pop(L, 2);
  return same;
}
