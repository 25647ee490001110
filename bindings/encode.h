/* encode.h - an encoder, whose parts know each other */
#ifndef FUT_ENCODE_H
#define FUT_ENCODE_H

#include "wire_state.h"

/* Places in the stack of a running encoder; nil until needed. */
enum {
  AT_ENCODER = 1,
  AT_EXCLUDED, /* table: globals that cannot travel */
  AT_GLOBALS,  /* array of names of globals that come along, and by name
                  their values */
  AT_ANCHORS,  /* array: what must live until the end */
  AT_SOURCES,  /* table: text of functions to the offset of their tag */
  AT_VALUES,   /* the first */
};

enum frame_kind { FRAME_TABLE, FRAME_FUNCTION, FRAME_REDUCED };

/* Where an encoder stands inside a value that holds others. */
typedef struct encode_frame {
  unsigned char kind;
  unsigned char state;       /* private to the kind */
  unsigned char length_size; /* bytes kept free for the array length */
  bool meta;                 /* a metatable follows */
  bool first;                /* key and value are on the stack already */
  bool along;                /* globals come along with the function */
  int index;                 /* of the value in the stack of Lua */
  size_t at;                 /* offset of its tag */
  size_t header;             /* offset of the array length */
  lua_Integer done;          /* array values, upvalues, parts written */
  lua_Integer length;        /* how many there may be */
  size_t pairs;              /* written */
} encode_frame;

typedef struct wire_upvalue {
  size_t function; /* offset of the tag of the function that has it */
  int number;
} wire_upvalue;

/* Why the protected part has ended early. */
enum encode_end { END_ERROR, END_REFUSED, END_AGAIN, END_EXCLUDE };

/* One encoding; kept and used again. */
struct encoder {
  encoder *next; /* all of a state */
  bool busy;
  enum encode_end end;
  enum wire_mode mode;
  lua_State *L;
  wire_state *state;
  wire_message *out;
  const char *what;
  int root, count;        /* number of the value being encoded, of all */
  bool in_globals;        /* what is being encoded is a global, */
  int global;             /* whose name lies there in the stack */
  bool names_fresh;       /* the index of names is up to date */
  bool names_rebuilt;     /* and was built in this call */
  const void *globals;    /* identity of the table of globals */
  const void *plain_meta; /* a metatable without __reduce */
  encode_frame *frames;
  size_t depth, frame_capacity;
  int reserved;    /* stack slots below this index are ours */
  pointer_map met; /* tables, functions and long strings to their offset,
                      identities of upvalues to their number */
  wire_upvalue *upvalues;
  size_t upvalue_count, upvalue_capacity;
  /* Strings that were keys, by number; a number below the count of this
     message is valid, so nothing needs emptying. */
  size_t key_count;
  unsigned last_key;
  struct encoder_key {
    const char *string;
    uint16_t follower; /* number of the key that came after it last */
  } keys[WIRE_KEY_LIMIT];
  uint16_t key_slots[WIRE_KEY_LIMIT * 2]; /* hash of pointer -> number */
};

/* Return an idle encoder, marked busy. Raises a memory error. */
encoder *encoder_take(lua_State *L, wire_state *state);
void encoder_give(encoder *e);
void encoder_free(encoder *e);

/* Encode the value on top of the stack. If that is done, pop it and return
   true; else its frame, pushed last, must be stepped until it is gone. */
bool encoder_begin(encoder *e);

/* Enter the value on top, whose tag lies at the offset. */
encode_frame *encoder_push_frame(encoder *e, enum frame_kind kind, size_t at);

/* Whether pointer was met: then write a reference to it. Else it is noted as
   lying here. */
bool encoder_put_met(encoder *e, const void *pointer);

void encoder_put_tag(encoder *e, enum wire_tag tag);
void encoder_put_number(encoder *e, enum wire_tag tag, size_t number);

/* Begin the table, function or userdata on top; they return what
   encoder_begin() does but leave the value. */
bool encoder_begin_table(encoder *e);
bool encoder_begin_function(encoder *e);
bool encoder_begin_userdata(encoder *e);

/* If the value on top, whose type is noted, has a name, write that. */
bool encoder_put_name(encoder *e);

/* See that the index of names knows all modules; may begin all anew. */
void encoder_refresh_names(encoder *e);

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

/* Whether the value on top is the table of globals or stands for it; is_env
   says that it is what a function calls _ENV. */
bool encoder_is_globals(encoder *e, bool is_env);

/* What of a table's frame is being encoded. */
enum table_part { PART_VALUE, PART_KEY, PART_METATABLE };
enum table_part encoder_table_part(const encode_frame *f);

/* Raise the refusal of the value on top of the stack, with the path to it.
   kind says what it is. */
_Noreturn void encoder_refuse(encoder *e, const char *kind);

/* Leave the protected part, for the reason given. */
_Noreturn void encoder_leave(encoder *e, enum encode_end end);

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

/* Write the function at index, and return true, if that needs no encoder: it
   was sent before, its upvalues are plain values, the globals, what has a
   name and functions that have no more than the globals, and no globals come
   along. Else out is as it was. *whole is false if another function might
   share an upvalue with it, which takes an encoder to find out. */
bool encode_known_function(lua_State *L, wire_state *state, wire_message *out,
                           int index, bool *whole);

#endif
