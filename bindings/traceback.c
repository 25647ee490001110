/* traceback.c - the traceback of a task that runs inside of another

   luaL_traceback() writes the whole stack, and leaves out the middle of a deep
   one. So it is asked for one level at a time. */
#include "traceback.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

/* How many levels of a deep stack are shown at either end. */
enum { FIRST = 10, LAST = 10 };

/* Return the level of the C function bottom; of the end if it is not there. */
static int find(lua_State *L, lua_CFunction bottom) {
  lua_Debug ar;
  int level = 1;
  for (; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "f", &ar);
    bool found = lua_tocfunction(L, -1) == bottom;
    lua_pop(L, 1);
    if (found)
      break;
  }
  return level;
}

/* Add the line of one level: that of a traceback which begins there. */
static void add_level(lua_State *L, luaL_Buffer *text, int level) {
  luaL_traceback(L, L, NULL, level);
  const char *line = strchr(lua_tostring(L, -1), '\n');
  const char *end = line ? strchr(line + 1, '\n') : NULL;
  size_t length = line == NULL ? 0 : end ? (size_t)(end - line) : strlen(line);
  lua_pushlstring(L, line, length);
  lua_remove(L, -2);
  luaL_addvalue(text);
}

void traceback_push(lua_State *L, const char *message, lua_CFunction bottom) {
  int end = find(L, bottom);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  luaL_addstring(&text, message);
  luaL_addstring(&text, "\nstack traceback:");
  for (int level = 1; level < end; level++) {
    int skipped = end - 1 - FIRST - LAST;
    if (level == FIRST + 1 && skipped > 1) {
      lua_pushfstring(L, "\n\t...\t(skipping %d levels)", skipped);
      luaL_addvalue(&text);
      level += skipped;
    }
    add_level(L, &text, level);
  }
  luaL_pushresult(&text);
}
