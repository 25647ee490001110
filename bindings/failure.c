/* failure.c - the outcome of a call that failed, as it travels */
#include "failure.h"

#include "fail.h"
#include "traceback.h"
#include "travel.h"

#include <string.h>

static void refuse(lua_State *L, const char *message) {
  lua_createtable(L, 1, 0);
  lua_pushstring(L, message);
  lua_rawseti(L, -2, 1);
  lua_error(L);
}

const wire_hooks failure_hooks = {
    .refuse = refuse, .object = travel_object, .push_object = travel_push};

/* Push the traceback of the whole stack but the last line, our caller. */
static void push_whole(lua_State *L, const char *message) {
  luaL_traceback(L, L, message, 1);
  const char *text = lua_tostring(L, -1);
  const char *last = strrchr(text, '\n');
  if (last && strncmp(last, "\n\t[C]: ", 7) == 0)
    lua_pushlstring(L, text, (size_t)(last - text));
}

int failure_handle(lua_State *L, const char *name, lua_CFunction bottom) {
  if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "<no error object>");
    lua_replace(L, 1);
  }
  const char *message = lua_type(L, 1) == LUA_TSTRING
                            ? lua_tostring(L, 1)
                            : lua_pushfstring(L, "(error object is a %s value)",
                                              luaL_typename(L, 1));
  if (bottom)
    traceback_push(L, message, bottom);
  else
    push_whole(L, message);
  if (name)
    lua_pushfstring(L, "%s\n\tin task '%s'", lua_tostring(L, -1), name);
  int traceback = lua_gettop(L);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, traceback);
  lua_rawseti(L, -2, 2);
  return 1;
}

/* Arguments: class, error, traceback. Encode them; protected. */
static int send_error(lua_State *L) {
  const failure_source *source = lua_touserdata(L, lua_upvalueindex(1));
  wire_encode(L, source->wire, 1, 3, source->mode, "error", source->outcome);
  return 0;
}

/* Arguments: error, traceback. Return class, error, traceback: an instance of
   our classes becomes its class and message. */
static int classify(lua_State *L) {
  context *ctx = context_find(L);
  int class = ctx ? fail_class_of(L, ctx, 1) : -1;
  lua_pushinteger(L, class);
  if (class < 0)
    lua_pushvalue(L, 1);
  else {
    lua_pushliteral(L, "message");
    lua_rawget(L, 1);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
  }
  lua_pushvalue(L, 2);
  return 3;
}

/* Arguments: error, traceback, why it cannot be sent. Return what is sent in
   its place. */
static int describe(lua_State *L) {
  const char *text = luaL_tolstring(L, 1, NULL);
  lua_pushinteger(L, FAIL_SERIALIZATION);
  lua_pushfstring(L, "%s: %s", lua_tostring(L, 3), text);
  lua_pushvalue(L, 2);
  return 3;
}

/* Send the three values on top of the stack; false with the reason. */
static bool sent(lua_State *L, failure_source *source) {
  lua_pushlightuserdata(L, source);
  lua_pushcclosure(L, send_error, 1);
  lua_insert(L, -4);
  return lua_pcall(L, 3, 0, 0) == LUA_OK;
}

int failure_encode(lua_State *L) {
  failure_source *source = lua_touserdata(L, 2);
  if (!lua_toboolean(L, 3) || !lua_istable(L, 1)) {
    /* not the task's error: what could not be sent, or no memory */
    bool refused = lua_istable(L, 1);
    lua_pushinteger(L, refused ? FAIL_SERIALIZATION : -1);
    if (!refused)
      lua_pushvalue(L, 1);
    else if (lua_rawgeti(L, 1, 1) != LUA_TSTRING) /* raised by a __reduce, or
                                                     for a future's outcome */
      luaL_tolstring(L, 1, NULL);
    lua_pushnil(L);
    if (!sent(L, source))
      lua_error(L);
    return 0;
  }
  lua_pushcfunction(L, classify);
  lua_rawgeti(L, 1, 1);
  lua_rawgeti(L, 1, 2);
  lua_call(L, 2, 3);
  if (sent(L, source))
    return 0;
  if (!lua_istable(L, -1)) /* no memory */
    lua_error(L);
  int reason = lua_gettop(L);
  lua_rawgeti(L, reason, 1); /* it was the second value that we sent */
  luaL_gsub(L, lua_tostring(L, -1), "cannot send error 2", "cannot send error");
  lua_rawseti(L, reason, 1);
  lua_pushcfunction(L, describe);
  lua_rawgeti(L, 1, 1);
  lua_rawgeti(L, 1, 2);
  lua_rawgeti(L, reason, 1);
  if (lua_pcall(L, 3, 3, 0) != LUA_OK) { /* its __tostring raised */
    lua_pop(L, 1);
    lua_pushinteger(L, FAIL_SERIALIZATION);
    lua_rawgeti(L, reason, 1);
    lua_rawgeti(L, 1, 2);
  }
  if (!sent(L, source))
    lua_error(L);
  return 0;
}

void failure_push(lua_State *L, context *ctx, int first) {
  if (lua_gettop(L) == first) { /* the error alone */
    lua_pushvalue(L, first);
    lua_pushnil(L);
    return;
  }
  lua_Integer class = lua_tointeger(L, first);
  lua_pushvalue(L, first + 1);
  if (class >= 0 && class < FAIL_CLASS_COUNT) {
    fail_push(L, ctx, (enum fail_class) class);
    lua_pushvalue(L, first + 2);
    lua_setfield(L, -2, "traceback");
  }
  lua_pushvalue(L, first + 2);
}
