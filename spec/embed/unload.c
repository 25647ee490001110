/* unload.c - the module is dropped by dlclose while a worker runs its code */
#include <dlfcn.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  (void)argc;
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  void *module = dlopen(argv[1], RTLD_NOW);
  if (module == NULL)
    return fprintf(stderr, "%s\n", dlerror());
  lua_CFunction open;
  void *symbol = dlsym(module, "luaopen_futures_core");
  memcpy(&open, &symbol, sizeof open);
  luaL_requiref(L, "futures.core", open, 0);
  lua_setglobal(L, "core");
  static const char script[] =
      "local options = { max_workers = 2, name = 'unload' }\n"
      "local pool = core.thread_pool(options, '', '')\n"
      "f = pool:submit(function()\n"
      "  local sum = 0\n"
      "  for i = 1, 1e6 do sum = sum + i % 2 end\n"
      "  return 42\n"
      "end)";
  if (luaL_dostring(L, script) != LUA_OK)
    return fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  dlclose(module);
  printf("unloaded\n");
  if (luaL_dostring(L, "print(f:result())") != LUA_OK)
    return fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return 0;
}
