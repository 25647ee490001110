/* outcome.c - what a future came to, as Lua values */
#include "outcome.h"

#include "failure.h"
#include "job.h"
#include "promise.h"

#include <string.h>

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

void outcome_pack(lua_State *L, int first) {
  int count = lua_gettop(L) - first + 1;
  luaL_checkstack(L, 4, "too many results");
  lua_createtable(L, count, 1);
  for (int i = 1; i <= count; i++) {
    lua_pushvalue(L, first + i - 1);
    lua_rawseti(L, -2, i);
  }
  lua_pushinteger(L, count);
  lua_setfield(L, -2, "n");
  future_extra(L, 1);
  lua_insert(L, -2);
}

void outcome_set(lua_State *L) {
  lua_rawseti(L, -2, EXTRA_OUTCOME);
  lua_pop(L, 1);
}

/* Keep the values from index first to the top as the outcome of the future at
   index 1; they stay on the stack. */
static void keep(lua_State *L, int first) {
  outcome_pack(L, first);
  outcome_set(L);
}

/* If the error at index is that of a nil global which this state has, say so
   in its message. */
static void explain_global(lua_State *L, int index) {
  static const char mark[] = "(global '";
  const char *message =
      lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  const char *name = strstr(message, mark);
  const char *end = name ? strchr(name += sizeof mark - 1, '\'') : NULL;
  if (end == NULL || strstr(message, " a nil value ") == NULL)
    return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushlstring(L, name, (size_t)(end - name));
  if (lua_rawget(L, -2) != LUA_TNIL) {
    lua_pushlstring(L, name, (size_t)(end - name));
    lua_pushfstring(L,
                    "%s: the submitting state has a global '%s' (a %s), but "
                    "it did not come along with the task",
                    message, lua_tostring(L, -1), luaL_typename(L, -2));
    lua_replace(L, index);
  }
  lua_settop(L, index + 1);
}

int outcome_decode(lua_State *L, context *ctx, const job_content *content,
                   enum wire_mode mode, fut_state state) {
  int first = lua_gettop(L) + 1;
  int count = wire_decode(L, ctx->wire, mode, content->bytes, content->size,
                          content->objects, content->object_count);
  if (state != FUT_FAILED)
    return count;
  failure_push(L, ctx, first);
  for (int i = 0; i < count; i++)
    lua_remove(L, first);
  explain_global(L, first);
  return 2;
}

int outcome_push(lua_State *L, context *ctx, const fut_future *future,
                 fut_state state) {
  int count = push_kept(L);
  if (count >= 0)
    return count;
  bool is_job = future_is_job(future);
  job_content content = is_job ? job_outcome(future) : promise_outcome(future);
  int first = lua_gettop(L) + 1;
  count = outcome_decode(L, ctx, &content,
                         is_job ? job_mode(future) : WIRE_THREAD, state);
  if (state == FUT_FAILED || !wire_plain(content.bytes, content.size))
    keep(L, first);
  return count;
}
