/* wire_source.c - compiling text that came, as rarely as can be

   The function that a text makes is dumped here, and from then on is loaded
   as those are that came as bytecode: closures have upvalues of their own,
   and those that may be kept are kept by code. */
#include "wire_source.h"

#include "memory.h"

#include "hash.h"
#include "wire_message.h"
#include "wire_read.h"

#include <lauxlib.h>

void source_cache_init(source_cache *cache) { memset(cache, 0, sizeof *cache); }

static void drop_entries(lua_State *L, source_cache *cache) {
  for (int i = 0; cache->entries && i < SOURCE_LIMIT * 2; i++)
    if (cache->entries[i].bytes) {
      luaL_unref(L, LUA_REGISTRYINDEX, cache->entries[i].holder);
      fut_memory_free(cache->entries[i].bytes);
      cache->entries[i].bytes = NULL;
    }
  for (int i = 0; cache->shelved && i < SOURCE_SHELVED; i++)
    cache->shelved[i].place = 0;
  cache->count = cache->byte_count = 0;
}

void source_cache_fini(lua_State *L, source_cache *cache) {
  drop_entries(L, cache);
  fut_memory_free(cache->entries);
  fut_memory_free(cache->shelved);
  source_cache_init(cache);
}

const unsigned char *source_text_read(const unsigned char *p,
                                      const unsigned char *end,
                                      source_text *source) {
  uint64_t lines = 0;
  source->bytes = p;
  if (p == end || (*p != WIRE_SOURCE_MAKER && *p != WIRE_SOURCE_MAIN))
    return NULL;
  source->main = *p == WIRE_SOURCE_MAIN;
  p = wire_get_string(p + 1, end, &source->name, &source->name_length);
  if (p != NULL)
    p = wire_get_varint(p, end, &lines);
  if (p == NULL || lines > WIRE_LINES_LIMIT)
    return NULL;
  source->lines = (size_t)lines;
  p = wire_get_string(p, end, &source->text, &source->text_length);
  if (p != NULL)
    source->size = (size_t)(p - source->bytes);
  return p;
}

/* The entry of the source, or the empty one where it belongs. */
static source_entry *find(const source_cache *cache, const source_text *source,
                          uint64_t hash) {
  size_t mask = SOURCE_LIMIT * 2 - 1, at = (size_t)hash & mask;
  source_entry *entry = &cache->entries[at];
  for (; entry->bytes; entry = &cache->entries[at = (at + 1) & mask])
    if (entry->hash == hash && entry->size == source->size &&
        memcmp(entry->bytes, source->bytes, source->size) == 0)
      break;
  return entry;
}

const wire_code *source_cache_push(lua_State *L, const source_cache *cache,
                                   const source_text *source) {
  if (cache->entries == NULL)
    return NULL;
  uint64_t hash = hash_bytes(source->bytes, source->size);
  const source_entry *entry = find(cache, source, hash);
  if (entry->bytes == NULL)
    return NULL;
  lua_rawgeti(L, LUA_REGISTRYINDEX, entry->holder);
  return entry->code;
}

const wire_code *source_cache_push_shelved(lua_State *L,
                                           const source_cache *cache,
                                           uint64_t place) {
  if (cache->shelved == NULL || place == 0)
    return NULL;
  const source_shelved *shelved = &cache->shelved[place % SOURCE_SHELVED];
  if (shelved->place != place)
    return NULL;
  lua_rawgeti(L, LUA_REGISTRYINDEX, shelved->holder);
  return shelved->code;
}

void source_cache_shelve(lua_State *L, source_cache *cache, uint64_t place,
                         const source_text *source) {
  if (cache->entries == NULL)
    return;
  const source_entry *entry =
      find(cache, source, hash_bytes(source->bytes, source->size));
  if (entry->bytes == NULL)
    return;
  if (cache->shelved == NULL) {
    size_t size = SOURCE_SHELVED * sizeof *cache->shelved;
    cache->shelved = fut_memory_new(size);
    if (cache->shelved == NULL)
      wire_no_memory(L);
    memset(cache->shelved, 0, size);
  }
  cache->shelved[place % SOURCE_SHELVED] =
      (source_shelved){place, entry->holder, entry->code};
}

/* Lua's reader of a source: the line breaks, then the text. */
static const char *read_text(lua_State *L, void *context, size_t *size) {
  static const char breaks[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
                               "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
  source_text *rest = context;
  (void)L;
  if (rest->lines > 0) {
    *size = rest->lines < sizeof breaks - 1 ? rest->lines : sizeof breaks - 1;
    rest->lines -= *size;
    return breaks;
  }
  *size = rest->text_length;
  rest->text_length = 0;
  return rest->text;
}

/* Push the function that the source makes. The text is not trusted, so what
   of it runs sees no globals; nothing that source.lua writes needs any.
   Returns what is wrong, or NULL. */
static const char *build(lua_State *L, const source_text *source) {
  source_text rest = *source;
  const char *name = lua_pushlstring(L, source->name, source->name_length);
  int status = lua_load(L, read_text, &rest, name, "t");
  lua_remove(L, -2);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK)
    return "source does not compile";
  if (source->main)
    return NULL;
  lua_newtable(L);
  lua_setupvalue(L, -2, 1);
  status = lua_pcall(L, 0, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK || !lua_isfunction(L, -1) || lua_iscfunction(L, -1))
    return "source makes no function";
  return NULL;
}

static int l_holder_gc(lua_State *L) {
  wire_code **holder = lua_touserdata(L, 1);
  if (*holder)
    fut_object_release(&(*holder)->object);
  *holder = NULL;
  return 0;
}

/* Push a userdata for a reference to a code, which is released with it. */
static wire_code **push_holder(lua_State *L) {
  static char key; /* its address is that of the metatable */
  wire_code **holder = lua_newuserdatauv(L, sizeof *holder, 0);
  *holder = NULL;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_holder_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
  }
  lua_setmetatable(L, -2);
  return holder;
}

/* Enter the holder on top, unless the source was met inside of this. */
static void enter(lua_State *L, source_cache *cache, const source_text *source,
                  const wire_code *code) {
  if (cache->entries == NULL) {
    size_t size = SOURCE_LIMIT * 2 * sizeof *cache->entries;
    cache->entries = fut_memory_new(size);
    if (cache->entries == NULL)
      wire_no_memory(L);
    memset(cache->entries, 0, size);
  }
  uint64_t hash = hash_bytes(source->bytes, source->size);
  if (find(cache, source, hash)->bytes)
    return;
  size_t bytes = source->size + code->size;
  if (cache->count == SOURCE_LIMIT ||
      cache->byte_count + bytes > SOURCE_BYTE_LIMIT)
    drop_entries(L, cache);
  lua_pushvalue(L, -1);
  int holder = luaL_ref(L, LUA_REGISTRYINDEX);
  unsigned char *copy = fut_memory_new(source->size);
  if (copy == NULL) {
    luaL_unref(L, LUA_REGISTRYINDEX, holder);
    wire_no_memory(L);
  }
  source_entry *entry = find(cache, source, hash);
  *entry = (source_entry){.bytes = memcpy(copy, source->bytes, source->size),
                          .size = source->size,
                          .hash = hash,
                          .holder = holder,
                          .code = code};
  cache->count++;
  cache->byte_count += bytes;
}

const wire_code *source_cache_compile(lua_State *L, source_cache *cache,
                                      code_cache *codes,
                                      const source_text *source) {
  wire_code **holder = push_holder(L);
  const char *problem = build(L, source);
  if (problem != NULL) {
    lua_pushstring(L, problem);
    return NULL;
  }
  wire_code *code = code_cache_find(L, codes, -1);
  fut_object_hold(&code->object);
  *holder = code;
  lua_pop(L, 1); /* the function */
  enter(L, cache, source, code);
  return code;
}
