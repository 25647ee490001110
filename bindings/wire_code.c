/* wire_code.c - dumping functions, as rarely as can be

   A function is looked up in a weak table; new ones are dumped and interned
   by content, so all closures of one prototype share one code and, by its id,
   one place in every receiver. When full the cache is emptied. */
#include "wire_code.h"

#include "memory.h"

#include "fresh.h"
#include "hash.h"
#include "wire_message.h"

#include <lauxlib.h>

/* Whoever ends a task gives back a reference to its code: to take one for each
   task would tear the count to and fro between two processors. */
#define STOCK 64

static void free_code(fut_object *object) {
  fut_memory_free(((wire_code *)object)->source);
  fut_memory_free(object);
}

const fut_object_kind wire_code_kind = {"code", free_code};

static uint64_t next_id(void) {
  static atomic_uint_least64_t last;
  /* relaxed: only that no two are equal matters */
  return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static void forget_shelves(wire_code *code) {
  for (int i = 0; i < CODE_SHELVES; i++)
    code->shelved[i].executor = 0;
  code->next_shelf = 0;
}

void code_cache_init(code_cache *cache) {
  memset(cache, 0, sizeof *cache);
  cache->functions = LUA_NOREF;
}

static void drop_codes(code_cache *cache) {
  for (int i = 0; cache->codes && i < CODE_LIMIT * 2; i++)
    if (cache->codes[i]) {
      fut_object_release_many(&cache->codes[i]->object,
                              1 + cache->codes[i]->stock);
      cache->codes[i] = NULL;
    }
  cache->count = cache->byte_count = 0;
}

void code_cache_fini(lua_State *L, code_cache *cache) {
  luaL_unref(L, LUA_REGISTRYINDEX, cache->functions);
  drop_codes(cache);
  fut_memory_free(cache->codes);
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
  if (cache->codes == NULL) {
    size_t size = CODE_LIMIT * 2 * sizeof *cache->codes;
    cache->codes = fut_memory_new(size);
    if (cache->codes == NULL)
      wire_no_memory(L);
    memset(cache->codes, 0, size);
  }
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

static bool append(code_cache *cache, const void *bytes, size_t size) {
  size_t needed = cache->dump_size + size;
  if (needed > cache->dump_capacity) {
    void *grown = fut_memory_resize(cache->dump, needed * 2);
    if (grown == NULL)
      return false;
    cache->dump = grown;
    cache->dump_capacity = needed * 2;
  }
  memcpy(cache->dump + cache->dump_size, bytes, size);
  cache->dump_size = needed;
  return true;
}

static int append_dump(lua_State *L, const void *bytes, size_t size,
                       void *context) {
  (void)L; /* raising here would be lost on lua_dump's caller */
  return !append(context, bytes, size);
}

static unsigned count_upvalues(lua_State *L, int index) {
  lua_Debug info;
  lua_pushvalue(L, index);
  lua_getinfo(L, ">u", &info);
  return info.nups;
}

/* The first upvalue of the function at index that holds the globals, or is
   named as if it did; 0 if there is none. */
static unsigned find_env(lua_State *L, int index, unsigned upvalues) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  unsigned env = 0;
  for (unsigned n = 1; n <= upvalues && env == 0; n++) {
    const char *name = lua_getupvalue(L, index, (int)n);
    if (lua_rawequal(L, -1, -2) || (name && strcmp(name, "_ENV") == 0))
      env = n;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return env;
}

/* Found while the dump is read, which lies before what is appended. */
struct globals {
  code_cache *cache;
  size_t start; /* of the names in the scratch */
  bool failed;
};

static void add_global(void *context, const char *name, size_t length) {
  struct globals *g = context;
  code_cache *cache = g->cache;
  uint32_t size = (uint32_t)length, other;
  if (fresh_global(name, length, cache->fresh) || length > UINT32_MAX)
    return;
  for (size_t at = g->start; at < cache->dump_size; at += 4 + other) {
    memcpy(&other, cache->dump + at, 4);
    if (other == size && memcmp(cache->dump + at + 4, name, length) == 0)
      return;
  }
  /* name lies in the bytes scanned, which are not the scratch */
  if (!append(cache, &size, 4) || !append(cache, name, length))
    g->failed = true;
}

const char *code_next_global(const wire_code *code, size_t *at,
                             size_t *length) {
  if (*at >= code->globals_size)
    return NULL;
  uint32_t size;
  const unsigned char *p = code->globals + *at;
  memcpy(&size, p, 4);
  *at += 4 + (size_t)size;
  *length = size;
  return (const char *)p + 4;
}

/* Make a code of the dump in the scratch, which is read from a copy as the
   names of globals are collected behind it. */
static wire_code *new_code(lua_State *L, code_cache *cache, uint64_t hash,
                           unsigned upvalues, unsigned env) {
  size_t size = cache->dump_size;
  wire_code *code = fut_memory_new(sizeof *code + size), *larger;
  if (code == NULL)
    wire_no_memory(L);
  memcpy(code->bytes, cache->dump, size);
  struct globals g = {cache, size, false};
  code->known = bytecode_scan(code->bytes, size, (int)env - 1, &code->facts,
                              add_global, &g);
  code->globals_size = code->known ? cache->dump_size - size : 0;
  larger = fut_memory_resize(code, sizeof *code + size + code->globals_size);
  if (larger == NULL || g.failed) {
    fut_memory_free(larger ? larger : code);
    wire_no_memory(L);
  }
  code = larger;
  memcpy(code->bytes + size, cache->dump + size, code->globals_size);
  code->globals = code->bytes + size;
  fut_object_init(&code->object, &wire_code_kind);
  code->id = next_id();
  code->hash = hash;
  code->size = size;
  code->upvalues = upvalues;
  code->env = env;
  code->stock = 0;
  code->source = NULL;
  code->source_size = 0;
  forget_shelves(code);
  return code;
}

/* Return the code that has the bytes in the scratch, made if need be. */
static wire_code *intern(lua_State *L, code_cache *cache, unsigned upvalues,
                         unsigned env) {
  uint64_t hash = hash_bytes(cache->dump, cache->dump_size) + env;
  size_t mask = CODE_LIMIT * 2 - 1, at = (size_t)hash & mask;
  for (; cache->codes[at]; at = (at + 1) & mask) {
    wire_code *code = cache->codes[at];
    if (code->hash == hash && code->size == cache->dump_size &&
        code->env == env && memcmp(code->bytes, cache->dump, code->size) == 0)
      return code;
  }
  wire_code *code = new_code(L, cache, hash, upvalues, env);
  cache->codes[at] = code;
  cache->count++;
  cache->byte_count += code->size;
  return code;
}

/* Whether a function cannot be added before the cache is emptied. */
static bool is_full(const code_cache *cache) {
  return cache->functions == LUA_NOREF || cache->count >= CODE_LIMIT ||
         cache->byte_count > CODE_BYTE_LIMIT;
}

/* Add the function at index, which is unknown. */
static wire_code *add(lua_State *L, code_cache *cache, int index) {
  unsigned upvalues = count_upvalues(L, index);
  unsigned env = find_env(L, index, upvalues);
  lua_rawgeti(L, LUA_REGISTRYINDEX, cache->functions);
  lua_pushvalue(L, index); /* functions, function */
  cache->dump_size = 0;
  if (lua_dump(L, append_dump, cache, 0) != 0)
    wire_no_memory(L);
  wire_code *code = intern(L, cache, upvalues, env);
  lua_pushlightuserdata(L, code);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return code;
}

wire_code *code_cache_find(lua_State *L, code_cache *cache, int index) {
  wire_code *code = code_cache_peek(L, cache, index);
  if (code != NULL)
    return code;
  index = lua_absindex(L, index);
  if (is_full(cache))
    renew_functions(L, cache);
  return add(L, cache, index);
}

wire_code *code_cache_add(lua_State *L, code_cache *cache, int index) {
  return is_full(cache) ? NULL : add(L, cache, lua_absindex(L, index));
}

size_t code_cache_put(lua_State *L, wire_message *message, wire_code *code) {
  wire_message_room(L, message);
  if (code->stock == 0) {
    fut_object_hold_many(&code->object, STOCK);
    code->stock = STOCK;
  }
  code->stock--;
  message->objects[message->object_count] = &code->object;
  return message->object_count++;
}

void code_cache_keep_source(lua_State *L, code_cache *cache, wire_code *code,
                            const unsigned char *bytes, size_t size) {
  unsigned char *copy = fut_memory_new(size);
  if (copy == NULL)
    wire_no_memory(L);
  fut_memory_free(code->source); /* found at the same time inside of this */
  cache->byte_count += size - code->source_size;
  code->source = memcpy(copy, bytes, size);
  code->source_size = size;
  forget_shelves(code);
}

void code_cache_forget_sources(code_cache *cache) {
  for (int i = 0; cache->codes && i < CODE_LIMIT * 2; i++)
    if (cache->codes[i]) {
      cache->byte_count -= cache->codes[i]->source_size;
      fut_memory_free(cache->codes[i]->source);
      cache->codes[i]->source = NULL;
      cache->codes[i]->source_size = 0;
      forget_shelves(cache->codes[i]);
    }
}

void code_cache_forget(lua_State *L, code_cache *cache) {
  if (cache->functions == LUA_NOREF || !lua_isfunction(L, -1))
    return;
  luaL_checkstack(L, 4, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, cache->functions);
  lua_pushvalue(L, -2);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}
