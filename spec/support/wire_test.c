/* wire_test.c - the encoding as a Lua module, between two states, for specs */
#include "bytecode.h"
#include "memory.h"
#include "wire.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

typedef struct channel {
  lua_State *other; /* the state that values go to */
  wire_state *here, *there;
  enum wire_mode mode; /* of calls */
  wire_message message, back, file;
  wire_lease lease;
} channel;

/* Allocations that fut_memory may still make; negative for any number. */
static long allowed = -1;

static long blocks; /* that it has given out */

static void *limited(void *context, void *block, size_t size) {
  (void)context;
  if (size == 0) {
    blocks -= block != NULL;
    free(block);
    return NULL;
  }
  if (allowed == 0)
    return NULL;
  if (allowed > 0)
    allowed--;
  void *grown = realloc(block, size);
  blocks += block == NULL && grown != NULL;
  return grown;
}

static int l_blocks(lua_State *L) {
  lua_pushinteger(L, blocks);
  return 1;
}

typedef struct heap {
  long allowed;
  size_t used; /* bytes */
} heap;

static void *limited_lua(void *context, void *block, size_t old, size_t size) {
  heap *h = context;
  if (block == NULL)
    old = 0; /* it was a type */
  if (size == 0) {
    h->used -= old;
    free(block);
    return NULL;
  }
  if (h->allowed == 0 && size > old)
    return NULL;
  if (h->allowed > 0 && size > old)
    h->allowed--;
  void *grown = realloc(block, size);
  if (grown)
    h->used += size - old;
  return grown;
}

static heap other_heap = {-1, 0};

/* How many bytes all other states use. */
static int l_used(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)other_heap.used);
  return 1;
}

static lua_Integer refusals;

static void refuse(lua_State *L, const char *message) {
  refusals++;
  lua_pushstring(L, message);
  lua_error(L);
}

static const wire_hooks hooks = {.refuse = refuse};

/* How often something was refused since the last call. */
static int l_refusals(lua_State *L) {
  lua_pushinteger(L, refusals);
  refusals = 0;
  return 1;
}

/* Run in the other state: (channel) -> encode what its function gave. */
static int receive(lua_State *L) {
  channel *c = lua_touserdata(L, 1);
  lua_pop(L, 1);
  int n =
      wire_decode_task(L, c->there, c->mode, c->message.bytes, c->message.size,
                       c->message.objects, c->message.object_count, &c->lease);
  if (n > 0 && lua_isfunction(L, 1)) {
    lua_call(L, n - 1, LUA_MULTRET);
    n = lua_gettop(L);
  }
  wire_encode(L, c->there, 1, n, c->mode, "result", &c->back);
  return 0;
}

static channel *check(lua_State *L) {
  return luaL_checkudata(L, 1, "wire_test.channel");
}

static int l_channel_gc(lua_State *L) {
  channel *c = check(L);
  if (c->other)
    lua_close(c->other);
  c->other = NULL;
  wire_message_fini(&c->message);
  wire_message_fini(&c->file);
  wire_message_fini(&c->back);
  return 0;
}

/* register(name, value) in the other state. */
static int l_register_there(lua_State *L) {
  channel *c = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 2);
  wire_state_register(L, c->there, luaL_checkstring(L, 1));
  return 0;
}

/* channel(portable): whether calls go as to another process. */
static int l_channel(lua_State *L) {
  bool portable = lua_toboolean(L, 1);
  channel *c = lua_newuserdatauv(L, sizeof *c, 2);
  c->other = NULL;
  c->mode = portable ? WIRE_PORTABLE : WIRE_THREAD;
  c->lease.place = NULL;
  wire_message_init(&c->message);
  wire_message_init(&c->file);
  wire_message_init(&c->back);
  luaL_setmetatable(L, "wire_test.channel");
  c->here = wire_state_push(L);
  lua_setiuservalue(L, -2, 1);
  c->other = lua_newstate(limited_lua, &other_heap);
  luaL_openlibs(c->other);
  c->there = wire_state_push(c->other);
  wire_state_set_hooks(c->here, &hooks);
  wire_state_set_hooks(c->there, &hooks);
  lua_setfield(c->other, LUA_REGISTRYINDEX, "wire");
  lua_pushlightuserdata(c->other, c);
  lua_pushcclosure(c->other, l_register_there, 1);
  lua_setglobal(c->other, "register");
  return 1;
}

/* channel:call(f, ...): f(...) run in the other state; without a function
   the values come back. */
static int l_channel_call(lua_State *L) {
  channel *c = check(L);
  int count = lua_gettop(L) - 1;
  wire_encode(L, c->here, 2, count, c->mode, "argument", &c->message);
  lua_pushcfunction(c->other, receive);
  lua_pushlightuserdata(c->other, c);
  int status = lua_pcall(c->other, 1, 0, 0);
  wire_lease_end(&c->lease);
  if (status != LUA_OK) {
    const char *text = lua_tostring(c->other, -1);
    lua_pushstring(L, text ? text : "?");
    lua_settop(c->other, 0);
    return lua_error(L);
  }
  return wire_decode(L, c->here, c->mode, c->back.bytes, c->back.size,
                     c->back.objects, c->back.object_count);
}

static int l_encode(lua_State *L) {
  channel *c = check(L);
  int count = lua_gettop(L) - 1;
  wire_encode(L, c->here, 2, count, WIRE_PORTABLE, "argument", &c->file);
  lua_pushlstring(L, (const char *)c->file.bytes, c->file.size);
  return 1;
}

/* channel:decode(bytes, data): data is whether functions are refused. */
static int l_decode(lua_State *L) {
  channel *c = check(L);
  size_t size;
  const char *bytes = luaL_checklstring(L, 2, &size);
  enum wire_mode mode = lua_toboolean(L, 3) ? WIRE_DATA : WIRE_PORTABLE;
  return wire_decode(L, c->here, mode, (const unsigned char *)bytes, size, NULL,
                     0);
}

/* channel:source(function): how sources are found. */
static int l_source(lua_State *L) {
  channel *c = check(L);
  lua_settop(L, 2);
  wire_state_set_source(L, c->here);
  return 0;
}

/* channel:shelf(text): that is the shelf where source may lie. */
static int l_shelf(lua_State *L) {
  channel *c = check(L);
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  lua_settop(L, 2);
  wire_state_set_shelf(c->here, (const unsigned char *)text, size);
  lua_setiuservalue(L, 1, 2); /* keeps it */
  return 0;
}

/* channel:register(name, value): in this state. */
static int l_register(lua_State *L) {
  channel *c = check(L);
  lua_settop(L, 3);
  wire_state_register(L, c->here, luaL_checkstring(L, 2));
  return 0;
}

/* channel:run(text): run a chunk in the other state. */
static int l_run(lua_State *L) {
  channel *c = check(L);
  if (luaL_dostring(c->other, luaL_checkstring(L, 2))) {
    lua_pushstring(L, lua_tostring(c->other, -1));
    lua_settop(c->other, 0);
    return lua_error(L);
  }
  lua_settop(c->other, 0);
  return 0;
}

static int l_first_type(lua_State *L) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  int type = wire_first_type((const unsigned char *)bytes, size);
  lua_pushstring(L, lua_typename(L, type));
  lua_pushboolean(L, wire_plain((const unsigned char *)bytes, size));
  return 2;
}

/* allow(ours, other): how many allocations may succeed; negative: all. */
static int l_allow(lua_State *L) {
  allowed = (long)luaL_optinteger(L, 1, -1);
  other_heap.allowed = (long)luaL_optinteger(L, 2, -1);
  return 0;
}

static void add_global(void *context, const char *name, size_t length) {
  lua_State *L = context;
  lua_pushlstring(L, name, length);
  lua_pushboolean(L, 1);
  lua_rawset(L, 2);
}

/* scan(dump, env): set of globals, captured and assigned upvalues; or nil. */
static int l_scan(lua_State *L) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  int env = (int)luaL_checkinteger(L, 2) - 1;
  bytecode_facts facts;
  lua_settop(L, 1);
  lua_newtable(L);
  if (!bytecode_scan((const unsigned char *)bytes, size, env, &facts,
                     add_global, L))
    return 0;
  for (int set = 0; set < 2; set++) {
    lua_newtable(L);
    for (unsigned n = 0; n < BYTECODE_UPVALUES; n++)
      if (bytecode_has(set ? facts.assigned : facts.captured, n)) {
        lua_pushinteger(L, (lua_Integer)n + 1);
        lua_rawseti(L, -2, luaL_len(L, -2) + 1);
      }
  }
  return 3;
}

static int l_pointer(lua_State *L) {
  lua_pushlightuserdata(L, (void *)(size_t)luaL_checkinteger(L, 1));
  return 1;
}

__attribute__((visibility("default"))) int luaopen_wire_test(lua_State *L);

int luaopen_wire_test(lua_State *L) {
  static const luaL_Reg functions[] = {{"channel", l_channel},
                                       {"allow", l_allow},
                                       {"blocks", l_blocks},
                                       {"used", l_used},
                                       {"refusals", l_refusals},
                                       {"scan", l_scan},
                                       {"first_type", l_first_type},
                                       {"pointer", l_pointer},
                                       {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"call", l_channel_call}, {"encode", l_encode},     {"decode", l_decode},
      {"source", l_source},     {"register", l_register}, {"run", l_run},
      {"shelf", l_shelf},       {"__gc", l_channel_gc},   {NULL, NULL}};
  fut_memory_set(limited, NULL);
  luaL_newmetatable(L, "wire_test.channel");
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, functions);
  return 1;
}
