/* fail.c - the error classes, and raising their instances

   A class is the metatable of its instances and finds their methods; its own
   metatable leads to the parent and makes it callable. */
#include "fail.h"

#include <stdarg.h>
#include <stdlib.h>

/* tostring(error): "app.lua:12: TimeoutError: message" */
static int error_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  int parts = 0;
  lua_pushliteral(L, "where");
  if (lua_rawget(L, 1) == LUA_TSTRING)
    parts++; /* "app.lua:12: " */
  else
    lua_pop(L, 1);
  if (luaL_getmetafield(L, 1, "__name") == LUA_TNIL)
    lua_pushliteral(L, "Error");
  parts++;
  lua_pushliteral(L, "message");
  if (lua_rawget(L, 1) != LUA_TNIL) {
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    lua_pushliteral(L, ": ");
    lua_insert(L, -2); /* separator below message */
    parts += 2;
  } else
    lua_pop(L, 1);
  lua_concat(L, parts);
  return 1;
}

/* class(message) */
static int class_call(lua_State *L) {
  lua_settop(L, 2);
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "message");
  lua_pushvalue(L, 1);
  lua_setmetatable(L, -2);
  return 1;
}

static int class_tostring(lua_State *L) {
  lua_pushliteral(L, "__name");
  lua_rawget(L, 1);
  lua_pushfstring(L, "futures.%s", lua_tostring(L, -1));
  return 1;
}

void fail_open(lua_State *L, context *ctx) {
  static const struct {
    const char *name;
    int parent;
  } classes[] = {
#define X(constant, name, parent) {name, parent},
      FAIL_CLASSES(X)
#undef X
  };
  lua_createtable(L, FAIL_CLASS_COUNT, 0); /* ..., module, classes */
  for (int i = 0; i < FAIL_CLASS_COUNT; i++) {
    lua_createtable(L, 0, 4); /* class */
    lua_pushstring(L, classes[i].name);
    lua_setfield(L, -2, "__name");
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_createtable(L, 0, 3); /* its metatable */
    lua_pushcfunction(L, class_call);
    lua_setfield(L, -2, "__call");
    lua_pushcfunction(L, class_tostring);
    lua_setfield(L, -2, "__tostring");
    if (classes[i].parent != i) {
      lua_rawgeti(L, -3, classes[i].parent + 1);
      lua_setfield(L, -2, "__index");
    }
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, classes[i].name); /* module[name] = class */
    lua_rawseti(L, -2, i + 1);            /* classes[i + 1] = class */
  }
  ctx->classes = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void push_class(lua_State *L, context *ctx, int class) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->classes);
  lua_rawgeti(L, -1, class + 1);
  lua_remove(L, -2);
}

void fail_push(lua_State *L, context *ctx, enum fail_class class) {
  lua_createtable(L, 0, 3);
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  push_class(L, ctx, (int)class);
  lua_setmetatable(L, -2);
}

/* Raise an instance with the message on top of the stack. */
static _Noreturn void raise_message(lua_State *L, context *ctx,
                                    enum fail_class class) {
  fail_push(L, ctx, class);
  luaL_where(L, 1);
  if (*lua_tostring(L, -1))
    lua_setfield(L, -2, "where");
  else
    lua_pop(L, 1);
  luaL_traceback(L, L, NULL, 1);
  lua_setfield(L, -2, "traceback");
  lua_error(L);
  abort(); /* not reached */
}

void fail_raise(lua_State *L, context *ctx, enum fail_class class,
                const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  raise_message(L, ctx, class);
}

void fail_no_memory(lua_State *L) {
  lua_pushstring(L, fut_err_message(FUT_ENOMEM)); /* the same words */
  lua_error(L);
  abort(); /* not reached */
}

void fail_raise_err(lua_State *L, context *ctx, fut_err err) {
  if (err == FUT_ENOMEM)
    fail_no_memory(L);
  enum fail_class class = err == FUT_ETIMEDOUT ? FAIL_TIMEOUT : FAIL_RUNTIME;
  fail_raise(L, ctx, class, "%s", fut_err_message(err));
}

int fail_class_of(lua_State *L, context *ctx, int index) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
    return -1;
  int found = -1;
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->classes);
  for (int i = 0; i < FAIL_CLASS_COUNT && found < 0; i++) {
    lua_rawgeti(L, -1, i + 1);
    if (lua_rawequal(L, -1, -3))
      found = i;
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return found;
}

#define CLASS_DEPTH 100 /* somebody's classes may lead round in a circle */

int l_isinstance(lua_State *L) {
  luaL_checkany(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  bool found = false;
  if (lua_getmetatable(L, 1)) { /* class of a table; of a userdata: .__class */
    lua_pushliteral(L, "__class");
    if (lua_rawget(L, -2) == LUA_TNIL)
      lua_pop(L, 1);
    else
      lua_remove(L, -2);
    for (int depth = 0; depth < CLASS_DEPTH && lua_istable(L, 3); depth++) {
      found = lua_rawequal(L, 3, 2);
      if (found || !lua_getmetatable(L, 3)) /* metatable of the class */
        break;
      lua_pushliteral(L, "__index");
      lua_rawget(L, -2); /* parent */
      lua_replace(L, 3);
      lua_settop(L, 3);
    }
  }
  lua_pushboolean(L, found);
  return 1;
}
