/* game.c - a game loop that keeps its 60 frames a second while units look for
   their ways: game.lua asks, the workers of a pool search

     game game.lua cave.map [FRAMES]

   Prints the worst frame without a pool and with one. */
#include "grid.h"

#include <futures_lua.h>

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FRAME_NS 16666667

static grid map; /* read only by the time there are workers */

/* map.path(x, y, goal_x, goal_y) -> steps, or nil if there is no way */
static int l_path(lua_State *L) {
  int at[4];
  for (int i = 0; i < 4; i++)
    at[i] = (int)luaL_checkinteger(L, i + 1);
  int steps = grid_path(&map, at[0], at[1], at[2], at[3]);
  if (steps < 0)
    return 0;
  lua_pushinteger(L, steps);
  return 1;
}

/* map.free(x, y) -> whether one can walk there */
static int l_free(lua_State *L) {
  lua_pushboolean(L, grid_free_at(&map, (int)luaL_checkinteger(L, 1),
                                  (int)luaL_checkinteger(L, 2)));
  return 1;
}

static int open_map(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"path", l_path}, {"free", l_free}, {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushinteger(L, map.width);
  lua_setfield(L, -2, "width");
  lua_pushinteger(L, map.height);
  lua_setfield(L, -2, "height");
  return 1;
}

/* What the workers' states get as well as the game's own. */
static int open_libraries(lua_State *L) {
  luaL_requiref(L, "map", open_map, 0);
  return 0;
}

static int64_t now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void sleep_until(int64_t ns) {
  int64_t left = ns - now();
  struct timespec ts = {left / 1000000000, left % 1000000000};
  if (left > 0)
    nanosleep(&ts, NULL);
}

static void check(lua_State *L, int status) {
  if (status == LUA_OK)
    return;
  fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  exit(EXIT_FAILURE);
}

/* Play so many frames in a state of its own, with a pool or without. Return
   the longest time that a frame took, in ns. */
static int64_t play(const char *script, int frames, bool with_pool) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "futures", luaopen_futures, 0);
  open_libraries(L);
  check(L, luaL_loadfile(L, script));
  lua_pushboolean(L, with_pool);
  check(L, lua_pcall(L, 1, 1, 0)); /* the game: a table of functions */
  int64_t worst = 0, start = now();
  for (int frame = 0; frame < frames; frame++) {
    sleep_until(start + (int64_t)frame * FRAME_NS);
    int64_t begin = now();
    lua_getfield(L, -1, "frame");
    lua_pushinteger(L, frame);
    check(L, lua_pcall(L, 1, 0, 0));
    int64_t took = now() - begin;
    if (took > worst)
      worst = took;
  }
  lua_getfield(L, -1, "finish");
  check(L, lua_pcall(L, 0, 1, 0));
  printf("%-16s worst frame %6.2f ms, %s\n",
         with_pool ? "with a pool:" : "without a pool:", (double)worst / 1e6,
         luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return worst;
}

int main(int argc, char **argv) {
  int frames = argc > 3 ? atoi(argv[3]) : 180;
  if (argc < 3 || frames < 1 || !grid_load(&map, argv[2])) {
    fprintf(stderr, "usage: game game.lua cave.map [FRAMES]\n");
    return EXIT_FAILURE;
  }
  futures_on_state(open_libraries);
  int64_t without = play(argv[1], frames, false);
  int64_t with = play(argv[1], frames, true);
  printf("the frame budget is %.2f ms; the pool makes the worst frame %.1f "
         "times as short\n",
         FRAME_NS / 1e6, (double)without / (double)with);
  grid_free(&map);
  return EXIT_SUCCESS;
}
