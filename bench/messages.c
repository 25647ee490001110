/* messages.c - what a message costs: encoded here, decoded in another state

   messages.cost(finder, portable, rounds, ...) encodes the values, a task's
   function and its arguments, again and again, and decodes what came of it as
   a worker does. It returns the microseconds of either. */
#include "clock.h"
#include "wire.h"

#include <lauxlib.h>
#include <lualib.h>

__attribute__((visibility("default"))) int luaopen_messages(lua_State *L);

typedef struct receiver {
  lua_State *L;
  wire_state *wire;
  wire_message message;
  enum wire_mode mode;
  int rounds;
} receiver;

static lua_Number since(fut_deadline start, int rounds) {
  return (lua_Number)(fut_clock_now() - start) / 1e3 / rounds;
}

/* Run in the other state: (receiver). */
static int receive(lua_State *L) {
  receiver *r = lua_touserdata(L, 1);
  for (int i = 0; i < r->rounds; i++) {
    wire_lease lease = {NULL};
    lua_settop(L, 0);
    wire_decode_task(L, r->wire, r->mode, r->message.bytes, r->message.size,
                     r->message.objects, r->message.object_count, &lease);
    wire_lease_end(&lease);
  }
  return 0;
}

/* Take over the arguments finder and portable. */
static receiver *prepare(lua_State *L, wire_state *wire) {
  receiver *r = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  wire_state_set_source(L, wire);
  r->mode = lua_toboolean(L, 2) ? WIRE_PORTABLE : WIRE_THREAD;
  return r;
}

static int l_cost(lua_State *L) {
  wire_state *wire = lua_touserdata(L, lua_upvalueindex(2));
  receiver *r = prepare(L, wire);
  r->rounds = (int)luaL_checkinteger(L, 3);
  fut_deadline start = fut_clock_now();
  for (int i = 0; i < r->rounds; i++)
    wire_encode(L, wire, 4, lua_gettop(L) - 3, r->mode, "argument",
                &r->message);
  lua_pushnumber(L, since(start, r->rounds));
  lua_gc(r->L, LUA_GCCOLLECT);
  start = fut_clock_now();
  lua_pushcfunction(r->L, receive);
  lua_pushlightuserdata(r->L, r);
  int status = lua_pcall(r->L, 1, 0, 0);
  lua_pushnumber(L, since(start, r->rounds));
  if (status != LUA_OK)
    return luaL_error(L, "%s", lua_tostring(r->L, -1));
  return 2;
}

static int l_encode(lua_State *L) {
  wire_state *wire = lua_touserdata(L, lua_upvalueindex(2));
  receiver *r = prepare(L, wire);
  int count = (int)luaL_len(L, 3);
  fut_deadline start = fut_clock_now();
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, 3, i);
    lua_pushinteger(L, i);
    wire_encode(L, wire, 4, 2, r->mode, "argument", &r->message);
    lua_settop(L, 3);
  }
  lua_pushnumber(L, since(start, count));
  return 1;
}

static int l_receiver_gc(lua_State *L) {
  receiver *r = lua_touserdata(L, 1);
  if (r->L)
    lua_close(r->L);
  r->L = NULL;
  wire_message_fini(&r->message);
  return 0;
}

int luaopen_messages(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"cost", l_cost}, {"encode", l_encode}, {NULL, NULL}};
  lua_newtable(L);
  receiver *r = lua_newuserdatauv(L, sizeof *r, 0);
  r->L = NULL;
  wire_message_init(&r->message);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_receiver_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  r->L = luaL_newstate();
  if (r->L == NULL)
    return luaL_error(L, "not enough memory");
  luaL_openlibs(r->L);
  r->wire = wire_state_push(r->L);
  lua_setfield(r->L, LUA_REGISTRYINDEX, "wire");
  wire_state_push(L);
  luaL_setfuncs(L, functions, 2);
  return 1;
}
