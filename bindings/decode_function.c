/* decode_function.c - bytes into functions: closures and their upvalues */
#include "decode.h"
#include "shelf.h"

#include <lauxlib.h>

/* The code that comes next. */
static const wire_code *read_code(decoder *d) {
  uint64_t index = decoder_varint(d);
  if (index >= d->object_count || d->objects[index]->kind != &wire_code_kind)
    decoder_fail(d, "no such function");
  return (const wire_code *)d->objects[index];
}

void decoder_push_code(decoder *d) {
  const wire_code *code = read_code(d);
  if (!code_is_simple(code) ||
      !load_cache_push_shared(d->L, &d->state->loaded, code))
    decoder_fail(d, "function cannot be loaded");
}

void decoder_begin_function(decoder *d, size_t at) {
  const wire_code *code = read_code(d);
  decode_frame *f = decoder_push_frame(d, IN_UPVALUES, at);
  f->length = code->upvalues;
  if (!code_load(d->L, code))
    decoder_fail(d, "function cannot be loaded");
}

/* Read the source that comes next, or that of an earlier function; *place is
   where on the shelf it lies, or 0. */
static void read_source(decoder *d, size_t at, source_text *source,
                        uint64_t *place) {
  const wire_state *state = d->state;
  const unsigned char *p = d->p, *end = d->end;
  *place = 0;
  bool is_earlier = p < end && *p == WIRE_SOURCE_EARLIER;
  if (is_earlier) {
    d->p++;
    uint64_t earlier = decoder_varint(d);
    if (earlier >= at ||
        (d->start[earlier] & ~(unsigned)WIRE_SHARED) != WIRE_SOURCE)
      decoder_fail(d, "no such source");
    p = d->start + earlier + 1;
    end = d->start + at;
  }
  if (p < end && *p == WIRE_SOURCE_SHELVED) {
    p = wire_get_varint(p + 1, end, place);
    const unsigned char *text =
        p ? fut_shelf_at(state->shelf, state->shelf_size, *place) : NULL;
    if (text == NULL ||
        !source_text_read(text, state->shelf + state->shelf_size, source))
      decoder_fail(d, "no such source");
  } else
    p = source_text_read(p, end, source);
  if (p == NULL)
    decoder_fail(d, "no source or truncated");
  if (!is_earlier)
    d->p = p;
}

/* Push a value that keeps the code of the source alive, and return that. */
static const wire_code *push_source_code(decoder *d, size_t at) {
  wire_state *state = d->state;
  source_text source;
  uint64_t place;
  read_source(d, at, &source, &place);
  const wire_code *code = source_cache_push(d->L, &state->sources, &source);
  if (code == NULL)
    code = source_cache_compile(d->L, &state->sources, &state->codes, &source);
  if (code == NULL)
    decoder_fail(d, lua_tostring(d->L, -1));
  if (place > 0)
    source_cache_shelve(d->L, &state->sources, place, &source);
  if (decoder_varint(d) != code->upvalues)
    decoder_fail(d, "another number of upvalues");
  return code;
}

void decoder_begin_source(decoder *d, bool shared, size_t at) {
  lua_State *L = d->L;
  if (d->mode == WIRE_DATA)
    decoder_fail(d, "a function is not allowed");
  const wire_code *code = push_source_code(d, at);
  bool fine;
  if (!shared && code_is_simple(code) &&
      (code->upvalues == 0 || (d->p < d->end && *d->p == WIRE_GLOBALS))) {
    d->p += code->upvalues;
    fine = load_cache_push_shared(L, &d->state->loaded, code);
  } else {
    decoder_push_frame(d, IN_UPVALUES, at)->length = code->upvalues;
    fine = code_load(L, code);
  }
  if (!fine)
    decoder_fail(d, "function cannot be loaded");
  lua_remove(L, -2);
}

/* Let the function on top have the upvalue of another as its own. */
static void join_upvalue(decoder *d, int n) {
  lua_State *L = d->L;
  d->p++;
  decoder_push_shared(d);
  int other = (int)decoder_byte(d);
  if (!lua_isfunction(L, -1) || lua_iscfunction(L, -1) || other == 0 ||
      lua_getupvalue(L, -1, other) == NULL)
    decoder_fail(d, "no such upvalue");
  lua_pop(L, 1);
  lua_upvaluejoin(L, -2, n, -1, other);
  lua_pop(L, 1);
}

bool decoder_step_function(decoder *d, decode_frame *f) {
  while (f->done < f->length) {
    int n = (int)++f->done;
    if (d->p < d->end && *d->p == WIRE_UPVALUE)
      join_upvalue(d, n);
    else if (!decoder_begin(d))
      return false;
    else
      lua_setupvalue(d->L, -2, n);
  }
  return true;
}
