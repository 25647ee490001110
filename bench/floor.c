/* floor.c - what tasks and values cost where there is no pool, no encoding

   Linked from the same objects as futures.core, but a module of its own with
   a context of its own. floor.submit(fn, ...) encodes the call, makes the job
   and its future, and gives it the outcome of a worker that returned 1.
   floor.records(n) builds n records { id = i, name = "n"..i, x = i * 1.5 }
   through the C API and visits all that they hold. */
#include "clock.h"
#include "fail.h"
#include "job.h"
#include "lfuture.h"
#include "wire_format.h"

#include <stdio.h>
#include <string.h>

__attribute__((visibility("default"))) int luaopen_floor(lua_State *L);

static int l_submit(lua_State *L) {
  context *ctx = context_get(L);
  int count = lua_gettop(L);
  future_box *future = future_push(L, ctx);
  wire_encode(L, ctx->wire, 1, count, WIRE_THREAD, "argument", &ctx->scratch);
  struct job *job = job_new(ctx, &ctx->scratch, WIRE_THREAD);
  if (job == NULL)
    fail_no_memory(L);
  future->future = job_future(job);
  job_drop(future->future);
  job_content outcome = job_outcome(future->future);
  static const unsigned char one[] = {WIRE_VERSION, WIRE_FLAG_PLAIN, 1,
                                      WIRE_SMALL + 1 - WIRE_SMALL_MIN,
                                      WIRE_FINISH};
  memcpy((unsigned char *)outcome.bytes, one, sizeof one);
  job_set_size(future->future, sizeof one);
  fut_future_end(future->future, FUT_FINISHED);
  fut_future_release(future->future, ctx->arena);
  return 1;
}

enum { RECORDS = 10000 };

static char names[RECORDS + 1][8];

static void build_records(lua_State *L, int count) {
  lua_createtable(L, count, 0);
  for (int i = 1; i <= count; i++) {
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, i);
    lua_setfield(L, -2, "id");
    lua_pushlstring(L, names[i], strlen(names[i]));
    lua_setfield(L, -2, "name");
    lua_pushnumber(L, i * 1.5);
    lua_setfield(L, -2, "x");
    lua_rawseti(L, -2, i);
  }
}

/* Sum up something of each value, so that each is looked at. */
static lua_Number visit(lua_State *L, int index) {
  lua_Number sum = 0;
  size_t length = 0;
  switch (lua_type(L, index)) {
  case LUA_TNUMBER:
    return lua_isinteger(L, index) ? (lua_Number)lua_tointeger(L, index)
                                   : lua_tonumber(L, index);
  case LUA_TSTRING:
    return *lua_tolstring(L, index, &length) + (lua_Number)length;
  case LUA_TTABLE:
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index)) {
      sum += visit(L, -2) + visit(L, -1);
      lua_pop(L, 1);
    }
    return sum;
  default:
    return 0;
  }
}

static int l_records(lua_State *L) {
  int count = (int)luaL_checkinteger(L, 1);
  luaL_argcheck(L, count >= 0 && count <= RECORDS, 1, "too many");
  build_records(L, count);
  lua_pushnumber(L, visit(L, -1));
  return 1;
}

/* Seconds that only grow. */
static int l_clock(lua_State *L) {
  lua_pushnumber(L, (lua_Number)fut_clock_now() / 1e9);
  return 1;
}

static const luaL_Reg functions[] = {{"submit", l_submit},
                                     {"records", l_records},
                                     {"clock", l_clock},
                                     {NULL, NULL}};

int luaopen_floor(lua_State *L) {
  for (int i = 1; i <= RECORDS; i++)
    snprintf(names[i], sizeof names[i], "n%d", i);
  lua_settop(L, 0);
  lua_newtable(L);
  lua_newtable(L); /* a module for the classes, which nobody sees */
  context *ctx = context_push(L);
  lua_pushvalue(L, 2);
  fail_open(L, ctx);
  lua_pop(L, 1);
  lfuture_open(L, ctx);
  lua_settop(L, 3);
  lua_pushvalue(L, 1);
  lua_insert(L, 3);
  luaL_setfuncs(L, functions, 1);
  return 1;
}
