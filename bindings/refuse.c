/* refuse.c - which value could not be sent, in words

   The path begins at an argument or a result, or at the upvalue of the
   innermost function on the way, and goes through keys. Long ones are cut. */
#include "encode.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>

typedef struct text {
  size_t length;
  char bytes[600];
} text;

static void add(text *t, const char *s, size_t length) {
  size_t room = sizeof t->bytes - t->length;
  if (length > room)
    length = room;
  memcpy(t->bytes + t->length, s, length);
  t->length += length;
}

static void add_string(text *t, const char *s) { add(t, s, strlen(s)); }

static void add_number(text *t, const char *format, int number) {
  char digits[40];
  snprintf(digits, sizeof digits, format, number);
  add_string(t, digits);
}

static bool is_name(const char *s, size_t length) {
  if (length == 0 || isdigit((unsigned char)s[0]))
    return false;
  for (size_t i = 0; i < length; i++)
    if (!isalnum((unsigned char)s[i]) && s[i] != '_')
      return false;
  return true;
}

static void add_key(text *t, lua_State *L, int index) {
  char number[64];
  size_t length;
  int type = lua_type(L, index);
  if (type == LUA_TSTRING) {
    const char *s = lua_tolstring(L, index, &length);
    bool name = is_name(s, length);
    add_string(t, name ? "." : "[\"");
    add(t, s, length <= 60 ? length : 60);
    add_string(t, length <= 60 ? "" : "...");
    add_string(t, name ? "" : "\"]");
    return;
  }
  if (type == LUA_TNUMBER && lua_isinteger(L, index))
    snprintf(number, sizeof number, "[%lld]",
             (long long)lua_tointeger(L, index));
  else if (type == LUA_TNUMBER)
    snprintf(number, sizeof number, "[%.14g]", (double)lua_tonumber(L, index));
  else if (type == LUA_TBOOLEAN)
    snprintf(number, sizeof number, "[%s]",
             lua_toboolean(L, index) ? "true" : "false");
  else
    snprintf(number, sizeof number, "[%s]", lua_typename(L, type));
  add_string(t, number);
}

static void add_root(text *t, const encoder *e) {
  if (strcmp(e->what, "argument") == 0) {
    if (e->root == 1)
      add_string(t, "function");
    else
      add_number(t, "argument %d", e->root - 1);
    return;
  }
  add_string(t, e->what);
  if (e->count > 1)
    add_number(t, " %d", e->root);
}

static void add_steps(text *t, const encoder *e, size_t from) {
  for (; from < e->depth && t->length < 400; from++) {
    const encode_frame *f = &e->frames[from];
    if (f->kind == FRAME_REDUCED) {
      add_number(t, ".__reduce[%d]", (int)f->done);
      continue;
    }
    switch (encoder_table_part(f)) {
    case PART_VALUE:
      add_key(t, e->L, f->index + 1);
      break;
    case PART_KEY:
      add_string(t, ".<key>");
      break;
    case PART_METATABLE:
      add_string(t, ".<metatable>");
      break;
    }
  }
  if (from < e->depth)
    add_string(t, "...");
}

/* The number of the innermost frame of a function, counted from 1. */
static size_t innermost_function(const encoder *e) {
  size_t i = e->depth;
  while (i > 0 && e->frames[i - 1].kind != FRAME_FUNCTION)
    i--;
  return i;
}

static void add_kind(text *t, lua_State *L, int index, const char *kind) {
  add_string(t, kind);
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
    return;
  lua_pushliteral(L, "__name");
  if (lua_rawget(L, -2) == LUA_TSTRING) {
    add_string(t, " (");
    add_string(t, lua_tostring(L, -1));
    add_string(t, ")");
  }
  lua_pop(L, 2);
}

_Noreturn void encoder_refuse(encoder *e, const char *kind) {
  lua_State *L = e->L;
  text t = {0};
  if (e->in_globals)
    encoder_exclude_global(e);
  luaL_checkstack(L, 16, NULL);
  int value = lua_gettop(L);
  size_t function = innermost_function(e);
  add_string(&t, "cannot send ");
  if (function == 0) {
    add_root(&t, e);
    add_steps(&t, e, 0);
  } else {
    lua_Debug info;
    const encode_frame *f = &e->frames[function - 1];
    const char *name = lua_getupvalue(L, f->index, (int)f->done);
    add_string(&t, "upvalue '");
    add_string(&t, name && *name ? name : "?"); /* stripped */
    add_string(&t, "'");
    add_steps(&t, e, function);
    lua_pushvalue(L, f->index);
    lua_getinfo(L, ">S", &info);
    add_string(&t, " of function <");
    add_string(&t, info.short_src);
    add_number(&t, ":%d>", info.linedefined);
  }
  add_string(&t, ": ");
  add_kind(&t, L, value, kind);
  lua_pushlstring(L, t.bytes, t.length);
  encoder_leave(e, END_REFUSED);
}
