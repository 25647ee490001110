/* decode_known.c - functions that need no decoder, as most tasks' do

   What was loaded before is handed out again: as it is, if it has no upvalue
   but the globals, else to one task at a time, with upvalues set anew. */
#include "decode.h"

/* Find out of which code the function at p is. Pushes a value that keeps the
   code alive; returns where its upvalues lie, or NULL with nothing pushed. */
static const unsigned char *push_code(lua_State *L, const decode_known *known,
                                      const unsigned char *p,
                                      const wire_code **code) {
  if (known->end - p < 2)
    return NULL;
  if (*p == WIRE_SOURCE && known->mode != WIRE_DATA) {
    const source_cache *sources = &known->state->sources;
    source_text source;
    uint64_t upvalues, place = 0;
    bool shelved = p[1] == WIRE_SOURCE_SHELVED;
    p = shelved ? wire_get_varint(p + 2, known->end, &place)
                : source_text_read(p + 1, known->end, &source);
    if (p != NULL)
      p = wire_get_varint(p, known->end, &upvalues);
    *code = p == NULL ? NULL
            : shelved ? source_cache_push_shelved(L, sources, place)
                      : source_cache_push(L, sources, &source);
    if (*code == NULL)
      return NULL;
    if ((*code)->upvalues == upvalues)
      return p;
    lua_pop(L, 1); /* the decoder will say it */
    return NULL;
  }
  if ((*p != WIRE_CODE && *p != WIRE_FUNCTION) || p[1] >= 0x80 ||
      p[1] >= known->object_count ||
      known->objects[p[1]]->kind != &wire_code_kind)
    return NULL;
  *code = (const wire_code *)known->objects[p[1]];
  lua_pushnil(L); /* the message holds it */
  return p + 2;
}

/* Whether the upvalues at p are no more than the globals. */
static const unsigned char *skip_simple(const unsigned char *tag,
                                        const unsigned char *p,
                                        const unsigned char *end,
                                        const wire_code *code) {
  if (!code_is_simple(code))
    return NULL;
  if (*tag == WIRE_CODE || code->upvalues == 0)
    return p;
  return p < end && *p == WIRE_GLOBALS ? p + 1 : NULL;
}

/* Push an upvalue that needs no decoder; returns as decode_known_function(). */
static const unsigned char *push_plain(lua_State *L, const decode_known *known,
                                       const unsigned char *p) {
  const unsigned char *end = known->end, *next = wire_push_scalar(L, p, end);
  wire_name name;
  const char *s;
  size_t length;
  if (next == NULL)
    next = decode_known_function(L, known, p, NULL);
  if (next != NULL || p == end)
    return next;
  if (*p == WIRE_GLOBALS) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return p + 1;
  }
  if (*p == WIRE_LONG) {
    next = wire_get_string(p + 1, end, &s, &length);
    if (next != NULL)
      lua_pushlstring(L, s, length);
    return next;
  }
  next = wire_name_read(p, end, &name);
  if (next == NULL || *p & WIRE_SHARED)
    return NULL;
  if (wire_names_push(L, &known->state->names, &name, true))
    return next;
  lua_pop(L, 1); /* the decoder will say it again */
  return NULL;
}

/* Push a closure of code with the upvalues at p. A nested function may have
   captured one and outlive the task, so that what is set later would reach it;
   the globals are always the same. */
static const unsigned char *push_leased(lua_State *L, const decode_known *known,
                                        const unsigned char *p,
                                        const wire_code *code,
                                        wire_lease *lease) {
  if (!code->known)
    return NULL;
  lease->place = load_cache_lease(L, &known->state->loaded, code);
  if (lease->place == NULL)
    return NULL;
  for (unsigned n = 0; n < code->upvalues && p != NULL; n++) {
    if (bytecode_has(code->facts.captured, n) &&
        (p == known->end || *p != WIRE_GLOBALS))
      p = NULL;
    else
      p = push_plain(L, known, p);
    if (p != NULL)
      lua_setupvalue(L, -2, (int)n + 1);
  }
  if (p == NULL) {
    wire_lease_end(lease);
    lua_pop(L, 1);
  }
  return p;
}

/* Push the closure of code, which is simple. */
static bool push_shared(lua_State *L, const decode_known *known,
                        const wire_code *code) {
  if (load_cache_push_shared(L, &known->state->loaded, code))
    return true;
  lua_pop(L, 1);
  return false;
}

const unsigned char *decode_known_function(lua_State *L,
                                           const decode_known *known,
                                           const unsigned char *p,
                                           wire_lease *lease) {
  const wire_code *code;
  const unsigned char *upvalues = push_code(L, known, p, &code), *end;
  if (upvalues == NULL)
    return NULL;
  end = skip_simple(p, upvalues, known->end, code);
  if (end != NULL)
    end = push_shared(L, known, code) ? end : NULL;
  else if (lease && *p != WIRE_CODE)
    end = push_leased(L, known, upvalues, code, lease);
  if (end == NULL)
    lua_pop(L, 1); /* what kept the code */
  else
    lua_replace(L, -2);
  return end;
}
