/* wire_state.c - the userdata that owns all scratch memory of a state */
#include "wire_state.h"

#include "memory.h"

#include "decoder.h"
#include "encoder.h"

#include <lauxlib.h>
#include <stdlib.h>

static int l_state_gc(lua_State *L) {
  wire_state *state = lua_touserdata(L, 1);
  while (state->encoders) {
    encoder *e = state->encoders;
    state->encoders = e->next;
    encoder_free(e);
  }
  while (state->decoders) {
    decoder *d = state->decoders;
    state->decoders = d->next;
    decoder_free(L, d);
  }
  code_cache_fini(L, &state->codes);
  load_cache_fini(L, &state->loaded);
  source_cache_fini(L, &state->sources);
  wire_names_fini(L, &state->names);
  luaL_unref(L, LUA_REGISTRYINDEX, state->source);
  state->source = LUA_NOREF;
  return 0;
}

wire_state *wire_state_push(lua_State *L) {
  static const wire_hooks none;
  wire_state *state = lua_newuserdatauv(L, sizeof *state, 0);
  state->hooks = &none;
  state->encoders = NULL;
  state->decoders = NULL;
  state->source = LUA_NOREF;
  state->shelf = NULL;
  state->shelf_size = 0;
  code_cache_init(&state->codes);
  load_cache_init(&state->loaded);
  source_cache_init(&state->sources);
  wire_names_init(&state->names);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  wire_names_open(L, &state->names);
  return state;
}

void wire_state_set_hooks(wire_state *state, const wire_hooks *hooks) {
  state->hooks = hooks;
  state->codes.fresh = hooks->fresh;
  state->names.fresh = hooks->fresh;
}

void wire_state_set_source(lua_State *L, wire_state *state) {
  int source = luaL_ref(L, LUA_REGISTRYINDEX);
  luaL_unref(L, LUA_REGISTRYINDEX, state->source);
  state->source = source;
  code_cache_forget_sources(&state->codes);
}

void wire_state_set_shelf(wire_state *state, const unsigned char *shelf,
                          size_t size) {
  state->shelf = shelf;
  state->shelf_size = size;
}

void wire_state_register(lua_State *L, wire_state *state, const char *name) {
  code_cache_forget(L, &state->codes);
  wire_names_register(L, &state->names, name);
}

void wire_lease_end(wire_lease *lease) {
  if (lease->place)
    lease->place->busy = false;
  lease->place = NULL;
}

void wire_refuse(lua_State *L, wire_state *state) {
  const char *message = lua_tostring(L, -1);
  if (state->hooks->refuse)
    state->hooks->refuse(L, message);
  luaL_error(L, "%s", message);
  abort(); /* neither returns */
}
