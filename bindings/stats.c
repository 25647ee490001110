/* stats.c - how an executor stands, as a table */
#include "stats.h"

static void set_count(lua_State *L, const char *name, uint64_t count) {
  lua_pushinteger(L, (lua_Integer)count);
  lua_setfield(L, -2, name);
}

static void set_seconds(lua_State *L, const char *name, uint64_t ns) {
  lua_pushnumber(L, (lua_Number)ns / 1e9);
  lua_setfield(L, -2, name);
}

void stats_push(lua_State *L, fut_executor *executor) {
  fut_executor_stats stats;
  fut_executor_stats_get(executor, &stats);
  lua_createtable(L, 0, 11);
  set_count(L, "workers", stats.workers);
  set_count(L, "idle", stats.idle);
  set_count(L, "pending", stats.pending);
  set_count(L, "running", stats.running);
  set_count(L, "completed", stats.completed);
  set_count(L, "failed", stats.failed);
  set_count(L, "cancelled", stats.cancelled);
  set_seconds(L, "queue_time", stats.queue_time);
  set_seconds(L, "run_time", stats.run_time);
  lua_newtable(L);
  size_t bytes;
  for (unsigned i = 0; fut_executor_memory(executor, i, &bytes); i++) {
    lua_pushinteger(L, (lua_Integer)bytes);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "memory");
  lua_newtable(L);
  char name[64];
  for (unsigned i = 0; fut_executor_name(executor, i, name, sizeof name); i++) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "names");
}
