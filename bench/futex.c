/* futex.c - the floors of what goes to another process: two words in shared
   memory and two futex wake-ups, and the start of a program

   futex.trip(count, pause) returns the median in seconds of count round trips
   to a child process, so many seconds apart; futex.start(program, ...) runs a
   program to its end and returns how many seconds that took;
   futex.sleep(seconds) sleeps. */
#include <lauxlib.h>
#include <lua.h>

#include <linux/futex.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int luaopen_futex(lua_State *L);

extern char **environ;

struct words {
  atomic_uint ping, pong;
};

static void wait_for(atomic_uint *word, unsigned value) {
  while (atomic_load(word) != value)
    syscall(SYS_futex, word, FUTEX_WAIT, value - 1, NULL, NULL, 0);
}

static void set(atomic_uint *word, unsigned value) {
  atomic_store(word, value);
  syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static double now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void pause_for(double seconds) {
  struct timespec ts = {.tv_sec = (time_t)seconds};
  ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
  nanosleep(&ts, NULL);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static int l_trip(lua_State *L) {
  unsigned count = (unsigned)luaL_checkinteger(L, 1);
  double pause = luaL_checknumber(L, 2);
  double *times = lua_newuserdatauv(L, count * sizeof *times, 0);
  struct words *words = mmap(NULL, sizeof *words, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (words == MAP_FAILED)
    return luaL_error(L, "no shared memory");
  pid_t child = fork();
  if (child < 0)
    return luaL_error(L, "no child process");
  if (child == 0) {
    for (unsigned i = 1; i <= count; i++) {
      wait_for(&words->ping, i);
      set(&words->pong, i);
    }
    _exit(0);
  }
  for (unsigned i = 1; i <= count; i++) {
    pause_for(pause);
    double start = now();
    set(&words->ping, i);
    wait_for(&words->pong, i);
    times[i - 1] = now() - start;
  }
  waitpid(child, NULL, 0);
  munmap(words, sizeof *words);
  qsort(times, count, sizeof *times, compare);
  lua_pushnumber(L, times[count / 2]);
  return 1;
}

static int l_start(lua_State *L) {
  char *arguments[8] = {NULL};
  int count = lua_gettop(L);
  luaL_argcheck(L, count >= 1 && count < 8, 1, "a program and arguments");
  for (int i = 0; i < count; i++)
    arguments[i] = (char *)luaL_checkstring(L, i + 1);
  double start = now();
  pid_t child;
  int status = -1;
  if (posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ) == 0)
    waitpid(child, &status, 0);
  if (status != 0)
    return luaL_error(L, "cannot run %s", arguments[0]);
  lua_pushnumber(L, now() - start);
  return 1;
}

static int l_sleep(lua_State *L) {
  pause_for(luaL_checknumber(L, 1));
  return 0;
}

int luaopen_futex(lua_State *L) {
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, l_start);
  lua_setfield(L, -2, "start");
  lua_pushcfunction(L, l_trip);
  lua_setfield(L, -2, "trip");
  lua_pushcfunction(L, l_sleep);
  lua_setfield(L, -2, "sleep");
  return 1;
}
