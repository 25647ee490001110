/* on_state.c - what a host has called in every new worker state

   A list that only grows, at its end, by one compare-and-swap each time; so
   it takes no lock, which a forked child might find held for ever. */
#include "on_state.h"

#include "check.h"
#include "memory.h"

#include <lauxlib.h>
#include <stdatomic.h>

struct entry {
  lua_CFunction function;       /* set once */
  _Atomic(struct entry *) next; /* atomic; set once */
};

static _Atomic(struct entry *) first; /* atomic; set once */

void on_state_add(lua_CFunction function) {
  struct entry *fresh = NULL;
  _Atomic(struct entry *) *at = &first;
  for (;;) {
    struct entry *there = atomic_load(at);
    if (there == NULL) { /* the end: put a new one there, or meet another's */
      if (fresh == NULL) {
        fresh = fut_memory_new(sizeof *fresh);
        CHECK(fresh != NULL);
        fresh->function = function;
        atomic_init(&fresh->next, NULL);
      }
      if (atomic_compare_exchange_strong(at, &there, fresh))
        return;
    }
    if (there->function == function)
      break;
    at = &there->next;
  }
  fut_memory_free(fresh);
}

void on_state_run(lua_State *L) {
  for (struct entry *at = atomic_load(&first); at;
       at = atomic_load(&at->next)) {
    int top = lua_gettop(L);
    lua_pushcfunction(L, at->function);
    int status = lua_pcall(L, 0, 0, 0);
    if (status == LUA_ERRMEM)
      lua_error(L);
    if (status != LUA_OK) {
      const char *message = luaL_tolstring(L, -1, NULL);
      luaL_error(L, "a function given to futures_on_state failed: %s", message);
    }
    lua_settop(L, top);
  }
}
