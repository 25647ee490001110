/* lview.c - an executor as seen with options for its calls

   A view is a userdata whose metatable is found in that of its executor
   (__view); all methods of executors work on it. It travels as its executor and
   a table of options, of which a view is made anew. */
#include "lview.h"

#include "lexecutor.h"

#include <math.h>

static const char view_magic = 'v';

/* User values: the executor, and what holds the name. */
typedef struct view_box {
  const void *magic; /* view_magic */
  call_options options;
} view_box;

enum { VIEW_EXECUTOR = 1, VIEW_NAME };

static const call_options usual = {.timeout = HUGE_VAL, .ordered = true};

static view_box *view_test(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA ||
      lua_rawlen(L, index) != sizeof(view_box))
    return NULL;
  view_box *box = lua_touserdata(L, index);
  return box->magic == &view_magic ? box : NULL;
}

const call_options *view_options(lua_State *L, int arg) {
  const view_box *box = view_test(L, arg);
  return box ? &box->options : &usual;
}

bool view_push_executor(lua_State *L, int index) {
  if (view_test(L, index) == NULL)
    return false;
  lua_getiuservalue(L, index, VIEW_EXECUTOR);
  return true;
}

/* Push the option, whose type was checked; whether there is one. */
static bool given(lua_State *L, const char *name) {
  return lua_getfield(L, 2, name) != LUA_TNIL;
}

/* Let the options in the table at index 2 take the place of those in the view
   on top of the stack. */
static void override(lua_State *L, call_options *options) {
  int view = lua_gettop(L);
  if (given(L, "timeout"))
    options->timeout = (double)lua_tonumber(L, -1);
  if (given(L, "priority"))
    options->priority = (double)lua_tonumber(L, -1);
  if (given(L, "chunksize"))
    options->chunksize = (size_t)lua_tointeger(L, -1);
  if (given(L, "buffersize"))
    options->buffersize = (size_t)lua_tointeger(L, -1);
  if (given(L, "ordered"))
    options->ordered = lua_toboolean(L, -1);
  if (given(L, "name")) {
    options->name = lua_tostring(L, -1);
    lua_setiuservalue(L, view, VIEW_NAME);
  }
  lua_settop(L, view);
}

static void set_number(lua_State *L, const char *name, double value,
                       double otherwise) {
  if (value != otherwise) {
    lua_pushnumber(L, (lua_Number)value);
    lua_setfield(L, -2, name);
  }
}

static void set_size(lua_State *L, const char *name, size_t value) {
  if (value != 0) {
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
  }
}

/* __reduce(view): a function, the executor, the options; the function is the
   upvalue. */
static int view_reduce(lua_State *L) {
  const call_options *options = view_options(L, 1);
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  if (!view_push_executor(L, 1))
    return luaL_argerror(L, 1, "view expected");
  lua_newtable(L);
  set_number(L, "timeout", options->timeout, usual.timeout);
  set_number(L, "priority", options->priority, usual.priority);
  set_size(L, "chunksize", options->chunksize);
  set_size(L, "buffersize", options->buffersize);
  if (!options->ordered) {
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "ordered");
  }
  if (options->name) {
    lua_pushstring(L, options->name);
    lua_setfield(L, -2, "name");
  }
  return 3;
}

void view_set_reduce(lua_State *L) {
  static const char rebuild[] = "local executor, options = ... "
                                "return executor:options(options)";
  if (luaL_loadstring(L, rebuild) != LUA_OK)
    lua_error(L);
  lua_pushcclosure(L, view_reduce, 1);
  lua_setfield(L, -2, "__reduce");
}

int l_view_new(lua_State *L) {
  executor_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  view_box *box = lua_newuserdatauv(L, sizeof *box, VIEW_NAME);
  *box = (view_box){&view_magic, *view_options(L, 1)};
  if (view_push_executor(L, 1)) {
    lua_getiuservalue(L, 1, VIEW_NAME);
    lua_setiuservalue(L, 3, VIEW_NAME);
  } else
    lua_pushvalue(L, 1);
  luaL_getmetafield(L, -1, "__view");
  lua_setmetatable(L, 3);
  lua_setiuservalue(L, 3, VIEW_EXECUTOR);
  override(L, &box->options);
  return 1;
}
