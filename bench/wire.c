/* wire.c - what encoding and decoding cost, beside the floor of the C API */
#include "memory.h"
#include "wire.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static wire_state *here, *there;
static lua_State *A, *B;
static wire_message message;

enum { RECORDS = 10000 };

/* Build the records through the C API with right sizes. */
static void build(lua_State *L) {
  char name[32];
  lua_createtable(L, RECORDS, 0);
  for (int i = 1; i <= RECORDS; i++) {
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, i);
    lua_setfield(L, -2, "id");
    int n = snprintf(name, sizeof name, "n%d", i);
    lua_pushlstring(L, name, (size_t)n);
    lua_setfield(L, -2, "name");
    lua_pushnumber(L, i * 1.5);
    lua_setfield(L, -2, "x");
    lua_rawseti(L, -2, i);
  }
}

static double sum;

static void walk_table(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    size_t length;
    if (lua_type(L, -2) == LUA_TSTRING)
      sum += *lua_tolstring(L, -2, &length);
    else
      sum += (double)lua_tointeger(L, -2);
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
      if (lua_isinteger(L, -1))
        sum += (double)lua_tointeger(L, -1);
      else
        sum += lua_tonumber(L, -1);
      break;
    case LUA_TSTRING:
      sum += *lua_tolstring(L, -1, &length);
      break;
    case LUA_TTABLE:
      walk_table(L);
      break;
    default:
      break;
    }
    lua_pop(L, 1);
  }
}

static void records(void) {
  enum { ROUNDS = 40 };
  double best_floor = 1e9, best_encode = 1e9, best_decode = 1e9,
         best_build = 1e9, best_walk = 1e9, best_pair = 1e9;
  build(A);
  for (int i = 0; i < ROUNDS; i++) {
    double t0 = now();
    build(B);
    double t1 = now();
    lua_pushvalue(B, -1);
    walk_table(B);
    lua_pop(B, 2);
    double t2 = now();
    wire_encode(A, here, lua_gettop(A), 1, WIRE_THREAD, "argument", &message);
    double t3 = now();
    lua_pop(B, wire_decode(B, there, WIRE_THREAD, message.bytes, message.size,
                           message.objects, message.object_count));
    double t4 = now();
    if (t1 - t0 < best_build)
      best_build = t1 - t0;
    if (t2 - t1 < best_walk)
      best_walk = t2 - t1;
    if (t2 - t0 < best_floor)
      best_floor = t2 - t0;
    if (t3 - t2 < best_encode)
      best_encode = t3 - t2;
    if (t4 - t3 < best_decode)
      best_decode = t4 - t3;
    if (t4 - t2 < best_pair)
      best_pair = t4 - t2;
  }
  lua_pop(A, 1);
  printf("records: build %.2f walk %.2f (2x %.2f) ms; encode %.2f decode %.2f "
         "pair %.2f ms = %.2f of floor; %zu bytes\n",
         best_build * 1e3, best_walk * 1e3, best_floor * 2e3, best_encode * 1e3,
         best_decode * 1e3, best_pair * 1e3, best_pair / best_floor / 2,
         message.size);
}

static void receive(void) {
  wire_lease lease;
  lua_pop(B,
          wire_decode_task(B, there, WIRE_THREAD, message.bytes, message.size,
                           message.objects, message.object_count, &lease));
  wire_lease_end(&lease);
}

static void repeat(const char *title, int first, int count) {
  enum { N = 100000 };
  double encode = 1e9, decode = 1e9;
  for (int round = 0; round < 9; round++) {
    double t0 = now();
    for (int i = 0; i < N; i++)
      wire_encode(A, here, first, count, WIRE_THREAD, "argument", &message);
    double t1 = now();
    for (int i = 0; i < N; i++)
      receive();
    double t2 = now();
    if (t1 - t0 < encode)
      encode = t1 - t0;
    if (t2 - t1 < decode)
      decode = t2 - t1;
  }
  printf("%-40s encode %5.0f decode %5.0f ns, %zu bytes\n", title,
         encode / N * 1e9, decode / N * 1e9, message.size);
}

static void task(const char *title, const char *code) {
  lua_settop(A, 0);
  if (luaL_dostring(A, code))
    fprintf(stderr, "%s\n", lua_tostring(A, -1)), exit(1);
  repeat(title, 1, lua_gettop(A));
}

int main(void) {
  A = luaL_newstate();
  B = luaL_newstate();
  luaL_openlibs(A);
  luaL_openlibs(B);
  here = wire_state_push(A);
  lua_setfield(A, LUA_REGISTRYINDEX, "wire");
  there = wire_state_push(B);
  lua_setfield(B, LUA_REGISTRYINDEX, "wire");
  wire_message_init(&message);
  records();
  task("3 integers", "return 1, 2, 3");
  task("function()", "local function f() end return f");
  task("function() + 3 integers", "local function f() end return f, 1, 2, 3");
  task("function() print + 3 integers",
       "local function f() print() end return f, 1, 2, 3");
  task("an upvalue + 3 integers",
       "local n = 1; local function f() return n end return f, 1, 2, 3");
  task("4 upvalues, print + 3 integers",
       "local a, b, c, d = 1, true, 's', 1.5\n"
       "local function f() print(a, b, c, d) end return f, 1, 2, 3");
  task("an upvalue by name + 3 integers",
       "local n = table.insert; local function f() n() end return f, 1, 2, 3");
  task("an upvalue that is a function",
       "local function g() end; local function f() g() end return f, 1, 2, 3");
  task("an upvalue captured by a nested one",
       "local n = 1; local function f() return function() return n end end "
       "return f, 1, 2, 3");
  task("a global that comes along",
       "SCALE = 3; local function f() return SCALE end return f, 1, 2, 3");
  task("function() + { x = 1, y = 2 }",
       "local function f() end return f, { x = 1, y = 2 }");
  task("an upvalue + { x = 1, y = 2 }",
       "local n = 1; local function f() return n end return f, { x = 1 }");
  task("string of 20 bytes", "return ('x'):rep(20)");
  task("{ x = 1, y = 2 }", "return { x = 1, y = 2 }");
  task("{ 1, 2, 3 }", "return { 1, 2, 3 }");
  wire_message_fini(&message);
  lua_close(A);
  lua_close(B);
  return sum < 0;
}
