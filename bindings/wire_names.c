/* wire_names.c - the index of what loaded modules hold

   Only names are kept, and addresses that are compared but never followed:
   whatever is found is looked up by its name again before it is believed, so
   the index may be out of date in any way. What the libraries of Lua hold is
   noted once, when the state is new, and stays first in the index. */
#include "wire_names.h"

#include "memory.h"

#include "fresh.h"

#include <lauxlib.h>

enum { FIELD_LIMIT = 10000, NAME_LIMIT = 200 };

/* Their addresses are keys in the registry. */
static char registered_key, count_key;

void wire_names_init(wire_names *names) {
  memset(names, 0, sizeof *names);
  names->strings = names->loaded = names->registered = LUA_NOREF;
}

void wire_names_fini(lua_State *L, wire_names *names) {
  luaL_unref(L, LUA_REGISTRYINDEX, names->strings);
  luaL_unref(L, LUA_REGISTRYINDEX, names->loaded);
  luaL_unref(L, LUA_REGISTRYINDEX, names->registered);
  fut_memory_free(names->items);
  fut_memory_free(names->slots);
  wire_names_init(names);
}

static size_t hash(const void *pointer, int type) {
  uint64_t key = (uint64_t)(uintptr_t)pointer + (uint64_t)type;
  return (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 24);
}

name_item *wire_names_find(const wire_names *names, const void *pointer,
                           int type) {
  if (names->slot_count == 0)
    return NULL;
  size_t mask = names->slot_count - 1, at = hash(pointer, type) & mask;
  for (; names->slots[at]; at = (at + 1) & mask) {
    name_item *item = &names->items[names->slots[at] - 1];
    if (item->pointer == pointer && item->type == type)
      return item;
  }
  return NULL;
}

static void link_item(wire_names *names, size_t number) {
  const name_item *item = &names->items[number];
  size_t mask = names->slot_count - 1;
  size_t at = hash(item->pointer, item->type) & mask;
  while (names->slots[at])
    at = (at + 1) & mask;
  names->slots[at] = (uint32_t)number + 1;
}

/* Make room for one more item; slots stay at most a third full, so that
   values without a name are mostly told at the first look. */
static void reserve(lua_State *L, wire_names *names) {
  if (names->item_count == names->item_capacity)
    names->items = wire_grow(L, names->items, &names->item_capacity,
                             names->item_count + 1, sizeof *names->items);
  if (names->item_count * 3 < names->slot_count)
    return;
  size_t count = names->slot_count ? names->slot_count * 2 : 512;
  uint32_t *slots = fut_memory_new(count * sizeof *slots);
  if (slots == NULL)
    wire_no_memory(L);
  memset(slots, 0, count * sizeof *slots);
  fut_memory_free(names->slots);
  names->slots = slots;
  names->slot_count = count;
  for (size_t i = 0; i < names->item_count; i++)
    link_item(names, i);
}

/* Keep the string at index, return its number. */
static uint32_t add_string(lua_State *L, wire_names *names, int index) {
  lua_pushvalue(L, index);
  lua_rawgeti(L, LUA_REGISTRYINDEX, names->strings);
  lua_insert(L, -2);
  lua_rawseti(L, -2, (lua_Integer)names->string_count + 1);
  lua_pop(L, 1);
  return ++names->string_count;
}

/* The same for the name of a module, kept once for all its fields. */
static uint32_t add_module_string(lua_State *L, wire_names *names, int index) {
  const char *name = lua_tostring(L, index);
  if (names->module_string == 0 || names->module_name != name) {
    names->module_string = add_string(L, names, index);
    names->module_name = name;
  }
  return names->module_string;
}

/* Whether string number comes before the one at index in the alphabet. */
static bool comes_before(lua_State *L, wire_names *names, uint32_t number,
                         int index) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, names->strings);
  lua_rawgeti(L, -1, number);
  bool before = lua_compare(L, -1, index, LUA_OPLT);
  lua_pop(L, 2);
  return before;
}

/* Add the value on top of the stack under the name of a module, a string at
   module, and of the field, a string at index field or 0. Of several names a
   module's own wins, then Lua's own, then the first by the alphabet. */
static void add_item(lua_State *L, wire_names *names, int module, int field) {
  int type = lua_type(L, -1);
  const void *pointer = lua_topointer(L, -1);
  name_item *item = wire_names_find(names, pointer, type);
  if (item != NULL && field != 0) {
    bool own = (size_t)(item - names->items) < names->own_items;
    if (own || item->field == 0 || item->module == 0 ||
        comes_before(L, names, item->module, module))
      return;
  }
  reserve(L, names);
  uint32_t module_string = module ? add_module_string(L, names, module) : 0;
  uint32_t field_string = field ? add_string(L, names, field) : 0;
  item = wire_names_find(names, pointer, type);
  if (item == NULL) {
    item = &names->items[names->item_count];
    item->pointer = pointer;
    item->type = type;
    link_item(names, names->item_count++);
  }
  item->module = module_string;
  item->field = field_string;
}

/* Whether the table on top is one that others have as a metatable. */
static bool is_class(lua_State *L) {
  static const char *const events[] = {
      "__index",  "__name", "__call",  "__tostring", "__newindex", "__eq",
      "__len",    "__gc",   "__close", "__add",      "__lt",       "__le",
      "__concat", "__unm",  "__mul",   "__mode",     "__pairs",    NULL};
  for (const char *const *event = events; *event; event++) {
    lua_pushstring(L, *event);
    int type = lua_rawget(L, -2);
    lua_pop(L, 1);
    if (type != LUA_TNIL)
      return true;
  }
  return false;
}

/* Whether the value on top, a field of a module, is to travel by name. */
static bool has_name(lua_State *L, bool own) {
  switch (lua_type(L, -1)) {
  case LUA_TFUNCTION:
    return lua_iscfunction(L, -1);
  case LUA_TUSERDATA:
  case LUA_TLIGHTUSERDATA:
    return true;
  case LUA_TTABLE:
    return own || is_class(L);
  default:
    return false;
  }
}

static bool is_base(lua_State *L, int index) {
  return strcmp(lua_tostring(L, index), "_G") == 0;
}

/* Add the module on top, whose name is at index module, and its fields. */
static void add_module(lua_State *L, wire_names *names, int module, bool own) {
  int limit = FIELD_LIMIT;
  if (!lua_istable(L, -1)) {
    if (has_name(L, own))
      add_item(L, names, module, 0);
    return;
  }
  bool base = is_base(L, module);
  if (!base)
    add_item(L, names, module, 0);
  lua_pushnil(L);
  while (limit-- > 0 && lua_next(L, -2)) {
    size_t length = 0;
    const char *key = "";
    if (lua_type(L, -2) == LUA_TSTRING)
      key = lua_tolstring(L, -2, &length);
    if (length > 0 && length <= NAME_LIMIT &&
        (!base || fresh_global(key, length, names->fresh)) &&
        has_name(L, own) && !(base && lua_istable(L, -1)))
      add_item(L, names, module, lua_gettop(L) - 1);
    lua_pop(L, 1);
  }
  if (limit < 0)
    lua_pop(L, 1); /* the key where we gave up */
}

static void add_registered(lua_State *L, wire_names *names) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, names->registered);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    add_item(L, names, 0, lua_gettop(L) - 1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static bool is_own(const char *name) {
  for (const char *const *own = fresh_modules; *own; own++)
    if (strcmp(*own, name) == 0)
      return true;
  return false;
}

static uint64_t sign(lua_State *L, wire_names *names) {
  uint64_t signature = 1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, names->loaded);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    uint64_t key = (uint64_t)(uintptr_t)lua_topointer(L, -2);
    uint64_t value = (uint64_t)(uintptr_t)lua_topointer(L, -1);
    signature += (key ^ value << 1) * UINT64_C(0x9E3779B97F4A7C15) + 1;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return signature;
}

void wire_names_rebuild(lua_State *L, wire_names *names) {
  luaL_checkstack(L, 16, NULL);
  names->built = false; /* until all is done */
  names->item_count = names->own_items;
  names->string_count = names->own_strings;
  names->module_string = 0;
  memset(names->slots, 0, names->slot_count * sizeof *names->slots);
  for (size_t i = 0; i < names->item_count; i++)
    link_item(names, i);
  uint64_t signature = sign(L, names);
  add_registered(L, names);
  lua_rawgeti(L, LUA_REGISTRYINDEX, names->loaded);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING && lua_rawlen(L, -2) <= NAME_LIMIT &&
        !is_own(lua_tostring(L, -2)))
      add_module(L, names, lua_gettop(L) - 1, false);
    lua_pop(L, 1);
  }
  if (names->fresh) { /* globals that the host gives to every state */
    lua_pushliteral(L, "_G");
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    add_module(L, names, lua_gettop(L) - 1, false);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  names->signature = signature;
  names->registrations_seen = *names->registrations;
  names->built = true;
}

bool wire_names_outdated(const wire_names *names) {
  return names->registrations_seen != *names->registrations;
}

bool wire_names_refresh(lua_State *L, wire_names *names) {
  luaL_checkstack(L, 8, NULL);
  if (names->built && !wire_names_outdated(names) &&
      sign(L, names) == names->signature)
    return false;
  wire_names_rebuild(L, names);
  return true;
}

/* Find the table of what is registered in this lua_State, or make it, and the
   count of registrations beside it. */
static void open_registered(lua_State *L, wire_names *names) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &count_key) == LUA_TNIL) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registered_key);
    unsigned *count = lua_newuserdatauv(L, sizeof *count, 0);
    *count = 0;
    lua_rawsetp(L, LUA_REGISTRYINDEX, &count_key);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &count_key);
    lua_remove(L, -2); /* nil */
  }
  names->registrations = lua_touserdata(L, -1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registered_key);
  names->registered = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pop(L, 1);
}

void wire_names_open(lua_State *L, wire_names *names) {
  luaL_checkstack(L, 16, NULL);
  open_registered(L, names);
  lua_newtable(L);
  names->strings = luaL_ref(L, LUA_REGISTRYINDEX);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -1);
  names->loaded = luaL_ref(L, LUA_REGISTRYINDEX);
  for (const char *const *name = fresh_modules; *name; name++) {
    lua_pushstring(L, *name);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3); /* loaded, name, module */
    if (lua_istable(L, -1))
      add_module(L, names, lua_gettop(L) - 1, true);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  names->own_items = names->item_count;
  names->own_strings = names->string_count;
  name_item *fitting =
      fut_memory_resize(names->items, names->item_count * sizeof *names->items);
  if (fitting != NULL) { /* many states never need more */
    names->items = fitting;
    names->item_capacity = names->item_count;
  }
}

void wire_names_register(lua_State *L, wire_names *names, const char *name) {
  luaL_checkstack(L, 4, NULL);
  lua_rawgeti(L, LUA_REGISTRYINDEX, names->registered);
  lua_insert(L, -2);
  lua_setfield(L, -2, name);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &count_key);
  ++*(unsigned *)lua_touserdata(L, -1);
  lua_pop(L, 2);
}
