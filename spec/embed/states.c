/* states.c - many states of one program, closed in any order, on any thread */
#include <futures_lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATES = 6 };

static const char open_script[] =
    "local futures = require 'futures'\n"
    "pool = futures.ThreadPoolExecutor(2)\n"
    "called, fs = 0, {}\n"
    "for i = 1, 20 do\n"
    "  fs[i] = pool:submit(function(n) return n end, i)\n"
    "  fs[i]:add_done_callback(function() called = called + 1 end)\n"
    "end";

static const char use_script[] =
    "local futures = require 'futures'\n"
    "futures.wait(fs)\n"
    "assert(called == 20, called)\n"
    "for i, f in ipairs(fs) do assert(f:result() == i) end\n"
    "pool:submit(function() end):add_done_callback(function() end)";

static lua_State *states[STATES];

static void run(lua_State *L, const char *script) {
  if (luaL_dostring(L, script) == LUA_OK)
    return;
  fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  exit(1);
}

/* Open a state, or use one, or close it. */
static void *open_one(void *argument) {
  lua_State **L = argument;
  *L = luaL_newstate();
  luaL_openlibs(*L);
  luaL_requiref(*L, "futures", luaopen_futures, 0);
  run(*L, open_script);
  return NULL;
}

static void *use_one(void *argument) {
  run(*(lua_State **)argument, use_script);
  return NULL;
}

static void *close_one(void *argument) {
  lua_close(*(lua_State **)argument);
  return NULL;
}

/* Do work for each state, in an order of round's, on a thread each. */
static void on_threads(unsigned round, void *(*work)(void *)) {
  pthread_t threads[STATES];
  for (unsigned i = 0; i < STATES; i++)
    pthread_create(&threads[i], NULL, work, &states[(i * 5 + round) % STATES]);
  for (unsigned i = 0; i < STATES; i++)
    pthread_join(threads[i], NULL);
}

int main(void) {
  const char *given = getenv("ROUNDS");
  unsigned rounds = given ? (unsigned)atoi(given) : 1;
  for (unsigned round = 0; round < rounds; round++) {
    on_threads(round, open_one);
    if (round % 2)
      on_threads(round + 1, use_one);
    if (round % 3)
      on_threads(round + 2, close_one);
    else
      for (unsigned i = 0; i < STATES; i++)
        close_one(&states[(i * 5 + round) % STATES]);
  }
  printf("all states ended\n");
  return 0;
}
