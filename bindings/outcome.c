/* outcome.c - what a future came to, as Lua values */
#include "outcome.h"

#include "job.h"
#include "state.h"

/* Push the values of an outcome kept in the extras of the future at index 1,
   return how many; -1 if there is none. */
static int push_kept(lua_State *L) {
  int base = lua_gettop(L);
  if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE &&
      lua_rawgeti(L, -1, EXTRA_OUTCOME) == LUA_TTABLE) {
    int outcome = lua_gettop(L);
    lua_getfield(L, outcome, "n");
    int count = (int)lua_tointeger(L, -1);
    lua_settop(L, outcome);
    luaL_checkstack(L, count, "too many results");
    for (int i = 1; i <= count; i++)
      lua_rawgeti(L, outcome, i);
    lua_remove(L, outcome);
    lua_remove(L, outcome - 1);
    return count;
  }
  lua_settop(L, base);
  return -1;
}

void outcome_keep(lua_State *L, int first) {
  int count = lua_gettop(L) - first + 1;
  lua_createtable(L, count, 1);
  for (int i = 1; i <= count; i++) {
    lua_pushvalue(L, first + i - 1);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, count);
  lua_setfield(L, -2, "n");
  future_extra(L, 1);
  lua_insert(L, -2);
  lua_rawseti(L, -2, EXTRA_OUTCOME);
  lua_pop(L, 1);
}

int outcome_push(lua_State *L, context *ctx, const fut_future *future,
                 fut_state state) {
  int count = push_kept(L);
  if (count >= 0)
    return count;
  job_content content = job_outcome(future);
  int first = lua_gettop(L) + 1;
  count = wire_decode(L, ctx->wire, WIRE_THREAD, content.bytes, content.size,
                      content.objects, content.object_count);
  if (state == FUT_FAILED) {
    state_outcome_push(L, ctx, first);
    for (int i = 0; i < count; i++)
      lua_remove(L, first);
    count = 2;
    outcome_keep(L, first);
  } else if (!wire_plain(content.bytes, content.size))
    outcome_keep(L, first);
  return count;
}
