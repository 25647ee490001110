/* results_input.c - where map takes arguments from: sequences and iterators

   A sequence has the length that it had when map was called. An iterator is
   called until it returns nil. One that was made for a generic for brings
   along two nils and a value to be closed, as io.lines does. */
#include "results.h"

#include "arg.h"

static bool is_iterator(lua_State *L, int index) {
  if (lua_isfunction(L, index))
    return true;
  if (lua_type(L, index) != LUA_TUSERDATA ||
      luaL_getmetafield(L, index, "__call") == LUA_TNIL)
    return false;
  lua_pop(L, 1);
  return true;
}

bool results_check_inputs(lua_State *L, int first, int *count) {
  int last = lua_gettop(L);
  bool closing = last - first >= 3 && is_iterator(L, last - 3) &&
                 lua_isnil(L, last - 2) && lua_isnil(L, last - 1);
  if (closing) {
    lua_replace(L, last - 2); /* below the iterator: one nil */
    lua_settop(L, last - 2);
    last -= 3;
  }
  for (int i = first; i <= last; i++)
    if (!lua_istable(L, i) && !is_iterator(L, i))
      arg_type_error(L, i, "sequence or iterator function");
  *count = last - first + 1;
  return closing;
}

/* Return the length of the sequence at index. */
static lua_Integer length(lua_State *L, int index, bool plain) {
  return plain ? (lua_Integer)lua_rawlen(L, index) : luaL_len(L, index);
}

void results_set_inputs(lua_State *L, results *r, int at, int first) {
  lua_createtable(L, r->input_count, 0);
  for (int i = 0; i < r->input_count; i++) {
    results_input *input = &r->inputs[i];
    input->kind = INPUT_ITERATOR;
    if (lua_istable(L, first + i)) {
      bool plain = !lua_getmetatable(L, first + i);
      if (!plain)
        lua_pop(L, 1);
      input->kind = plain ? INPUT_ARRAY : INPUT_SEQUENCE;
      input->length = length(L, first + i, plain);
    }
    lua_pushvalue(L, first + i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setiuservalue(L, at, RESULTS_INPUTS);
}

bool results_lazy(const results *r) {
  for (int i = 0; i < r->input_count; i++)
    if (r->inputs[i].kind == INPUT_ITERATOR)
      return true;
  return false;
}

/* Replace the input on top of the stack by its next argument; false at its
   end. */
static bool next(lua_State *L, const results_input *input, lua_Integer index) {
  if (input->kind == INPUT_ITERATOR) {
    lua_call(L, 0, 1);
    return !lua_isnil(L, -1);
  }
  if (index > input->length)
    return false;
  if (input->kind == INPUT_ARRAY)
    lua_rawgeti(L, -1, index);
  else
    lua_geti(L, -1, index);
  lua_replace(L, -2);
  return true;
}

bool results_pull(lua_State *L, results *r, int inputs) {
  for (int i = 0; i < r->input_count; i++) {
    lua_rawgeti(L, inputs, i + 1);
    if (!next(L, &r->inputs[i], (lua_Integer)r->pulled + 1))
      return false;
  }
  return true;
}
