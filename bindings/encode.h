/* encode.h - the kinds of values, each a part of an encoder */
#ifndef FUT_ENCODE_H
#define FUT_ENCODE_H

#include "encoder.h"

/* Encode the value on top of the stack. If that is done, pop it and return
   true; else its frame, pushed last, must be stepped until it is gone. */
bool encoder_begin(encoder *e);

/* Begin the table, function or userdata on top; they return what
   encoder_begin() does but leave the value. */
bool encoder_begin_table(encoder *e);
bool encoder_begin_function(encoder *e);
bool encoder_begin_userdata(encoder *e);

/* If the metatable of the value on top has a __reduce, call that, push a
   frame for what it returned and return true. */
bool encoder_begin_reduced(encoder *e);

/* Go on with the frame on top until a value in it needs a frame of its own,
   or all is written: then the value and its frame are popped. */
void encoder_step_table(encoder *e, encode_frame *f);
void encoder_step_function(encoder *e, encode_frame *f);
void encoder_step_reduced(encoder *e, encode_frame *f);

/* Note the globals that code names and this state has; the function is on
   top. Returns whether there are any. */
bool encoder_note_globals(encoder *e, const wire_code *code);

/* Begin all anew without the global that is being encoded. */
_Noreturn void encoder_exclude_global(encoder *e);

/* Write the section of the globals that were noted; false if none were. */
bool encoder_put_globals(encoder *e);

/* Encode the value on top of the stack and pop it. */
void encoder_put_value(encoder *e);

/* What of a table's frame is being encoded. */
enum table_part { PART_VALUE, PART_KEY, PART_METATABLE };
enum table_part encoder_table_part(const encode_frame *f);

/* Encode the value on top if that is a number or a short string, the most
   common of all; else return false. The value stays. */
static inline bool encoder_put_common(encoder *e) {
  lua_State *L = e->L;
  int type = lua_type(L, -1);
  unsigned char *p = wire_reserve(L, e->out, WIRE_SHORT_LIMIT + 16);
  if (type == LUA_TNUMBER) {
    if (lua_isinteger(L, -1))
      p = wire_put_integer(p, lua_tointegerx(L, -1, NULL));
    else
      p = wire_put_float(p, lua_tonumberx(L, -1, NULL));
  } else if (type == LUA_TSTRING) {
    size_t length;
    const char *s = lua_tolstring(L, -1, &length);
    if (length > WIRE_SHORT_LIMIT)
      return false;
    *p++ = (unsigned char)(WIRE_SHORT + length);
    memcpy(p, s, length);
    p += length;
  } else
    return false;
  e->out->size = (size_t)(p - e->out->bytes);
  return true;
}

/* Write tag and source of the Lua function on top. Runs the function that
   finds sources, unless one of its code was sent before. */
void encoder_put_source(encoder *e);

/* The same if the source of code is known; false if not. */
bool encode_known_source(lua_State *L, wire_message *out, wire_code *code);

/* The functions of a message that were written without an encoder. */
typedef struct encode_known {
  wire_state *state;
  wire_message *out;
  enum wire_mode mode;
  bool again; /* one came again, or they are too many to tell: only an encoder
                 that sees them all keeps it one and the same */
  unsigned count;
  const void *functions[8];
} encode_known;

/* Write the function at index, and return true, if that needs no encoder: it
   was sent before, its upvalues are plain values, the globals, what has a
   name and functions that have no more than the globals, and no globals come
   along. Else out is as it was. *whole is false if another function might
   share an upvalue with it, which takes an encoder to find out. */
bool encode_known_function(lua_State *L, encode_known *known, int index,
                           bool *whole);

#endif
