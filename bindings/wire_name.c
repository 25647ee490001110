/* wire_name.c - one name out and in

   name = tag, type, strings (length as varint, bytes): a module and its field,
   or one of them alone, as the tag says. */
#include "wire_names.h"

#include "wire_read.h"

#include <lauxlib.h>

/* Push the string of the index; 0 gives nil. */
static void push_string(lua_State *L, const wire_names *names,
                        uint32_t number) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, names->strings);
  lua_rawgeti(L, -1, number);
  lua_remove(L, -2);
}

/* Replace the table on top by its field, whose name is pushed on it too. */
static bool step_in(lua_State *L, const wire_names *names, uint32_t number) {
  push_string(L, names, number);
  if (!lua_istable(L, -2))
    return false;
  lua_pushvalue(L, -1);
  lua_rawget(L, -3); /* table, name, field */
  lua_remove(L, -3);
  return true;
}

static unsigned char *put_string(lua_State *L, unsigned char *p, int index) {
  size_t length;
  const char *s = lua_tolstring(L, index, &length);
  p = wire_put_varint(p, length);
  memcpy(p, s, length);
  return p + length;
}

bool wire_names_put(lua_State *L, wire_names *names, wire_message *out,
                    int index) {
  int type = lua_type(L, index), top = lua_gettop(L);
  const name_item *item = wire_names_find(names, lua_topointer(L, index), type);
  if (item == NULL)
    return false;
  index = lua_absindex(L, index);
  /* look it up as the receiver will: names and then the value are pushed */
  lua_rawgeti(L, LUA_REGISTRYINDEX,
              item->module ? names->loaded : names->registered);
  bool found = (item->module == 0 || step_in(L, names, item->module)) &&
               (item->field == 0 || step_in(L, names, item->field)) &&
               lua_rawequal(L, -1, index);
  if (found) {
    size_t length = 0;
    for (int i = top + 1; i < lua_gettop(L); i++)
      length += lua_rawlen(L, i) + 10;
    unsigned char *p = wire_reserve(L, out, length + 2);
    *p++ = item->module == 0  ? WIRE_REGISTERED
           : item->field == 0 ? WIRE_MODULE
                              : WIRE_FIELD;
    *p++ = (unsigned char)type;
    for (int i = top + 1; i < lua_gettop(L); i++)
      p = put_string(L, p, i);
    out->size = (size_t)(p - out->bytes);
  }
  lua_settop(L, top);
  return found;
}

const unsigned char *wire_name_read(const unsigned char *p,
                                    const unsigned char *end, wire_name *name) {
  if (end - p < 4)
    return NULL;
  unsigned tag = *p & ~(unsigned)WIRE_SHARED;
  memset(name, 0, sizeof *name);
  name->type = p[1];
  if (name->type != LUA_TTABLE && name->type != LUA_TFUNCTION &&
      name->type != LUA_TUSERDATA && name->type != LUA_TLIGHTUSERDATA)
    return NULL;
  p += 2;
  if (tag == WIRE_MODULE || tag == WIRE_FIELD)
    p = wire_get_string(p, end, &name->module, &name->module_length);
  else if (tag != WIRE_REGISTERED)
    return NULL;
  if (p != NULL && tag != WIRE_MODULE)
    p = wire_get_string(p, end, &name->field, &name->field_length);
  return p;
}

/* Push the module, loaded if need be; or false and a message. */
static bool push_module(lua_State *L, const wire_names *names,
                        const wire_name *name, bool may_load) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, names->loaded);
  lua_pushlstring(L, name->module, name->module_length);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) != LUA_TNIL)
    return true;
  lua_pop(L, 1); /* loaded, name */
  if (!may_load) {
    lua_pushfstring(L, "module '%s' is not loaded", lua_tostring(L, -1));
    return false;
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushliteral(L, "require");
  lua_rawget(L, -2);
  lua_pushvalue(L, -3); /* loaded, name, globals, require, name */
  int status = lua_pcall(L, 1, 1, 0);
  if (status != LUA_OK) {
    if (lua_type(L, -1) != LUA_TSTRING)
      lua_pushfstring(L, "module '%s' cannot be loaded", lua_tostring(L, -3));
    return false;
  }
  lua_pushvalue(L, -3);
  lua_rawget(L, -5);
  return true;
}

bool wire_names_push(lua_State *L, wire_names *names, const wire_name *name,
                     bool may_load) {
  int top = lua_gettop(L);
  bool found = true;
  if (name->module)
    found = push_module(L, names, name, may_load);
  else
    lua_rawgeti(L, LUA_REGISTRYINDEX, names->registered);
  if (found && name->field) {
    if (lua_istable(L, -1)) {
      lua_pushlstring(L, name->field, name->field_length);
      lua_rawget(L, -2);
    } else
      lua_pushnil(L);
  }
  if (found && lua_type(L, -1) != name->type) {
    const char *kind = lua_typename(L, name->type);
    lua_pushlstring(L, name->module, name->module ? name->module_length : 0);
    lua_pushlstring(L, name->field, name->field ? name->field_length : 0);
    if (name->module == NULL)
      lua_pushfstring(L, "no %s is registered as '%s'", kind,
                      lua_tostring(L, -1));
    else
      lua_pushfstring(L, "'%s%s%s' is no %s here", lua_tostring(L, -2),
                      name->field ? "." : "", lua_tostring(L, -1), kind);
    found = false;
  }
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  return found;
}
