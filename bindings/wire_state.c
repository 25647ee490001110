/* wire_state.c - the userdata that owns all scratch memory of a state */
#include "wire_state.h"

#include "memory.h"

#include <lauxlib.h>
#include <stdlib.h>

static void free_encoder(encoder *e) {
  fut_memory_free(e->frames);
  fut_memory_free(e->upvalues);
  pointer_map_fini(&e->met);
  fut_memory_free(e);
}

static void free_decoder(lua_State *L, decoder *d) {
  luaL_unref(L, LUA_REGISTRYINDEX, d->keys);
  fut_memory_free(d->frames);
  fut_memory_free(d);
}

static int l_state_gc(lua_State *L) {
  wire_state *state = lua_touserdata(L, 1);
  while (state->encoders) {
    encoder *e = state->encoders;
    state->encoders = e->next;
    free_encoder(e);
  }
  while (state->decoders) {
    decoder *d = state->decoders;
    state->decoders = d->next;
    free_decoder(L, d);
  }
  code_cache_fini(L, &state->codes);
  return 0;
}

wire_state *wire_state_push(lua_State *L) {
  static const wire_hooks none;
  wire_state *state = lua_newuserdatauv(L, sizeof *state, 0);
  state->hooks = &none;
  state->encoders = NULL;
  state->decoders = NULL;
  code_cache_init(&state->codes);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return state;
}

void wire_state_set_hooks(wire_state *state, const wire_hooks *hooks) {
  state->hooks = hooks;
}

encoder *wire_encoder_take(lua_State *L, wire_state *state) {
  encoder *e = state->encoders;
  while (e != NULL && e->busy)
    e = e->next;
  if (e == NULL) {
    e = fut_memory_new(sizeof *e);
    if (e == NULL)
      wire_no_memory(L);
    memset(e, 0, sizeof *e);
    pointer_map_init(&e->met);
    e->state = state;
    e->next = state->encoders;
    state->encoders = e;
  }
  e->busy = true;
  return e;
}

decoder *wire_decoder_take(lua_State *L, wire_state *state) {
  decoder *d = state->decoders;
  while (d != NULL && d->busy)
    d = d->next;
  if (d == NULL) {
    d = fut_memory_new(sizeof *d);
    if (d == NULL)
      wire_no_memory(L);
    memset(d, 0, sizeof *d);
    d->state = state;
    d->keys = LUA_NOREF;
    d->next = state->decoders;
    state->decoders = d;
  }
  d->busy = true;
  return d;
}

_Noreturn void wire_refuse(lua_State *L, wire_state *state) {
  const char *message = lua_tostring(L, -1);
  if (state->hooks->refuse)
    state->hooks->refuse(L, message);
  luaL_error(L, "%s", message);
  abort(); /* neither returns */
}
