/* encode_function.c - functions into bytes: a code, or source, and upvalues

   To threads goes bytecode that was dumped once and is shared; elsewhere the
   source. An upvalue that holds the globals is the receiver's globals there,
   any other is a value like others; two functions that share one share its
   copy. */
#include "encode.h"

bool encoder_begin_function(encoder *e) {
  lua_State *L = e->L;
  if (e->depth > 0) /* what holds it may be a module */
    encoder_refresh_names(e);
  if (lua_iscfunction(L, -1)) {
    if (!encoder_put_name(e))
      encoder_refuse(e, "C function");
    return true;
  }
  if (encoder_put_met(e, lua_topointer(L, -1)))
    return true;
  if (wire_names_put(L, &e->state->names, e->out, -1)) /* registered */
    return true;
  size_t at = e->out->size;
  wire_code *code = code_cache_find(L, &e->state->codes, -1);
  size_t index = code_cache_put(L, e->out, code);
  bool along = encoder_note_globals(e, code);
  unsigned upvalues = code->upvalues;
  if (e->mode == WIRE_THREAD) {
    bool simple = upvalues == 0;
    if (!simple && !along && code_is_simple(code)) {
      lua_getupvalue(L, -1, 1);
      simple = lua_topointer(L, -1) == e->globals;
      lua_pop(L, 1);
    }
    encoder_put_number(e, simple ? WIRE_CODE : WIRE_FUNCTION, index);
    if (simple)
      return true;
  } else {
    fut_object_release(e->out->objects[--e->out->object_count]);
    encoder_put_source(e);
    unsigned char *p = wire_reserve(L, e->out, 16);
    e->out->size = (size_t)(wire_put_varint(p, upvalues) - e->out->bytes);
  }
  encode_frame *f = encoder_push_frame(e, FRAME_FUNCTION, at);
  f->length = upvalues;
  f->along = along;
  return false;
}

/* Write that the upvalue on top is one that another function has; or note it
   as number n of this one. */
static bool put_joined(encoder *e, const encode_frame *f, int n) {
  bool found;
  void *identity = lua_upvalueid(e->L, f->index, n);
  pointer_entry *entry = pointer_map_enter(e->L, &e->met, identity, &found);
  if (found) {
    wire_upvalue *first = &e->upvalues[entry->value];
    e->out->bytes[first->function] |= WIRE_SHARED;
    encoder_put_number(e, WIRE_UPVALUE, first->function);
    *wire_reserve(e->L, e->out, 1) = (unsigned char)first->number;
    e->out->size++;
    return true;
  }
  entry->value = e->upvalue_count & ((UINT64_C(1) << 40) - 1);
  if (e->upvalue_count == e->upvalue_capacity)
    e->upvalues = wire_grow(e->L, e->upvalues, &e->upvalue_capacity,
                            e->upvalue_count + 1, sizeof *e->upvalues);
  e->upvalues[e->upvalue_count++] = (wire_upvalue){f->at, n};
  return false;
}

void encoder_step_function(encoder *e, encode_frame *f) {
  lua_State *L = e->L;
  while (f->done < f->length) {
    int n = (int)++f->done;
    const char *name = lua_getupvalue(L, f->index, n);
    if (encoder_is_globals(e, strcmp(name, "_ENV") == 0)) {
      /* never joined: they are the receiver's */
      encoder_put_tag(e, f->along ? WIRE_ENVIRONMENT : WIRE_GLOBALS);
      lua_pop(L, 1);
    } else if (put_joined(e, f, n))
      lua_pop(L, 1);
    else if (!encoder_begin(e))
      return;
  }
  lua_pop(L, 1); /* the function */
  e->depth--;
}
