/* stop_functions.c - protected calls and coroutines that let a stop through

   They do what the functions of the same names in Lua do, and at their end pass
   on the error of a stop that was raised inside them. A closer that calls them
   while the task is being stopped already has them as usual. Those that run
   coroutines also keep track of which one runs. */
#include "stop_functions.h"

#include "stop.h"

#include <lauxlib.h>
#include <lualib.h>

/* --- protected calls --------------------------------------------------------
 */

/* `raised` is how often the error had been raised before the call. */
static inline int finish(lua_State *L, stop *self, int status, unsigned raised,
                         int skipped) {
  stop_pass_on(L, self, raised);
  if (status == LUA_OK || status == LUA_YIELD)
    return lua_gettop(L) - skipped;
  if (status == LUA_ERRMEM)
    self->report->worn = true; /* what is full stays full */
  lua_pushboolean(L, 0);
  lua_pushvalue(L, -2);
  return 2;
}

static int finish_pcall(lua_State *L, int status, lua_KContext raised) {
  return finish(L, stop_of(L), status, (unsigned)raised, 0);
}

static int finish_xpcall(lua_State *L, int status, lua_KContext raised) {
  return finish(L, stop_of(L), status, (unsigned)raised, 2);
}

static int l_stop_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1); /* first result if there is no error */
  lua_insert(L, 1);
  stop *self = stop_of(L);
  unsigned raised = self->raised;
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0,
                          (lua_KContext)raised, finish_pcall);
  return finish(L, self, status, raised, 0);
}

int l_stop_xpcall(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checktype(L, STOP_XPCALL_HANDLER, LUA_TFUNCTION);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2); /* below the arguments */
  stop *self = stop_of(L);
  unsigned raised = self->raised;
  int status = lua_pcallk(L, count - 2, LUA_MULTRET, STOP_XPCALL_HANDLER,
                          (lua_KContext)raised, finish_xpcall);
  return finish(L, self, status, raised, 2);
}

/* --- coroutines --------------------------------------------------------------
 */

/* Close the variables of a coroutine that has failed or waits. Leaves the error
   on its stack if there is one. */
static int reset(stop *self, lua_State *L, lua_State *co) {
  self->running = co;
  int status = lua_resetthread(co);
  self->running = L;
  return status;
}

/* Resume with count values from the top of L. Return how many it gave, which
   are on top of L then, or -1 with the error there. */
static int resume(lua_State *L, lua_State *co, int count) {
  stop *self = stop_of(L);
  unsigned raised = self->raised;
  int given = 0;
  if (!lua_checkstack(co, count)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, count);
  self->running = co;
  int status = lua_resume(co, L, count, &given);
  self->running = L;
  if (self->unwinding && self->raised != raised) {
    if (status != LUA_YIELD)
      reset(self, L, co);
    stop_pass_on(L, self, raised);
  }
  if (status != LUA_OK && status != LUA_YIELD) {
    if (status == LUA_ERRMEM)
      self->report->worn = true;
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, given + 1)) {
    lua_pop(co, given);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, given);
  return given;
}

static lua_State *check_coroutine(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTHREAD);
  return lua_tothread(L, 1);
}

static int l_stop_resume(lua_State *L) {
  lua_State *co = check_coroutine(L);
  int given = resume(L, co, lua_gettop(L) - 1);
  lua_pushboolean(L, given >= 0);
  if (given < 0)
    given = 1;
  lua_insert(L, -(given + 1));
  return given + 1;
}

/* What coroutine.wrap() returns. */
static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int given = resume(L, co, lua_gettop(L));
  if (given >= 0)
    return given;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) { /* an error in the coroutine */
    stop *self = stop_of(L);
    unsigned raised = self->raised;
    status = reset(self, L, co);
    stop_pass_on(L, self, raised);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int l_stop_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

/* Return what the coroutine is doing, if it cannot be closed, or NULL. */
static const char *busy(lua_State *L, lua_State *co) {
  lua_Debug ar;
  if (L == co)
    return "running";
  if (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar))
    return "normal";
  return NULL;
}

static int l_stop_close(lua_State *L) {
  lua_State *co = check_coroutine(L);
  const char *doing = busy(L, co);
  if (doing)
    return luaL_error(L, "cannot close a %s coroutine", doing);
  stop *self = stop_of(L);
  unsigned raised = self->raised;
  int status = reset(self, L, co);
  stop_pass_on(L, self, raised);
  lua_pushboolean(L, status == LUA_OK);
  if (status == LUA_OK)
    return 1;
  lua_xmove(co, L, 1);
  return 2;
}

void stop_replace_functions(lua_State *L) {
  static const luaL_Reg globals[] = {
      {"pcall", l_stop_pcall}, {"xpcall", l_stop_xpcall}, {NULL, NULL}};
  static const luaL_Reg coroutines[] = {{"resume", l_stop_resume},
                                        {"wrap", l_stop_wrap},
                                        {"close", l_stop_close},
                                        {NULL, NULL}};
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  luaL_setfuncs(L, globals, 0);
  lua_getfield(L, -1, LUA_COLIBNAME);
  luaL_setfuncs(L, coroutines, 0);
  lua_pop(L, 2);
}
