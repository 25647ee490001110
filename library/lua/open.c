/* open.c - the whole module from the library, with no file beside it

   Each Lua source becomes an entry of package.preload, in the state that opens
   the module and in all worker states, which require it by name. */
#include "futures_lua.h"

#include "on_state.h"
#include "sources.h"
#include "worker.h"

#include <lauxlib.h>
#include <lualib.h>

#include <stdint.h>
#include <string.h>

int luaopen_futures_core(lua_State *L); /* bindings/module.c */

/* loader(name, ...): run the source that the upvalue points to */
static int load_source(lua_State *L) {
  const fut_source *source = lua_touserdata(L, lua_upvalueindex(1));
  int count = lua_gettop(L);
  if (luaL_loadbufferx(L, (const char *)source->text, source->length,
                       source->chunk, "t") != LUA_OK)
    return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, count, 1);
  return 1;
}

static int open_core(lua_State *L) {
  luaopen_futures_core(L);
  lua_pushliteral(L, LIBEXEC); /* seen from the folder of the library */
  lua_setfield(L, -2, "libexec");
  return 1;
}

/* Fill package.preload. */
static int preload(lua_State *L) {
  luaL_checkstack(L, 4, NULL);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  for (const fut_source *source = fut_sources; source->module; source++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)source);
    lua_pushcclosure(L, load_source, 1);
    lua_setfield(L, -2, source->module);
  }
  lua_pushcfunction(L, open_core);
  lua_setfield(L, -2, "futures.core");
  lua_pop(L, 1);
  return 0;
}

/* The shared library refers to Lua weakly, so that programs without Lua can
   use it; a static liblua may have left this one out. */
#ifdef __ELF__
#pragma weak luaL_openlibs
#endif

int luaopen_futures(lua_State *L) {
  luaL_checkversion(L);
  if (luaL_openlibs == NULL)
    return luaL_error(L, "futures needs luaL_openlibs: link the whole liblua");
  if (lua_getglobal(L, "require") != LUA_TFUNCTION)
    return luaL_error(L, "futures needs the library 'package'");
  preload(L);
  on_state_add(preload);
  for (const fut_source *source = fut_sources; source->module; source++)
    if (strcmp(source->module, "futures") == 0) {
      lua_pushlightuserdata(L, (void *)(uintptr_t)source);
      lua_pushcclosure(L, load_source, 1);
      lua_pushliteral(L, "futures");
      lua_call(L, 1, 1);
      return 1;
    }
  return luaL_error(L, "the library was built without its Lua sources");
}

void futures_on_state(lua_CFunction open) {
  on_state_add(preload); /* first, for open may require the module */
  on_state_add(open);
}

bool futures_is_worker(int argc, char **argv) {
  return fut_process_worker_asked(argc, argv);
}

int futures_worker_main(int argc, char **argv) {
  on_state_add(preload);
  return fut_process_worker_main(argc, argv, &worker_ops);
}
