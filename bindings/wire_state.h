/* wire_state.h - what encoding and decoding keep in a state between calls */
#ifndef FUT_WIRE_STATE_H
#define FUT_WIRE_STATE_H

#include "pointer_map.h"
#include "wire_code.h"
#include "wire_message.h"

/* Where an encoder stands inside a value that holds others. */
typedef struct encode_frame {
  unsigned char kind;        /* LUA_TTABLE or LUA_TFUNCTION */
  unsigned char state;       /* private to the kind */
  unsigned char length_size; /* bytes kept free for the array length */
  bool meta;                 /* a metatable follows */
  int index;                 /* of the value in the stack of Lua */
  size_t at;                 /* offset of its tag */
  size_t header;             /* offset of the array length */
  lua_Integer done;          /* array values, or upvalues, written */
  lua_Integer length;        /* how many there may be */
  size_t pairs;              /* written */
} encode_frame;

typedef struct wire_upvalue {
  size_t function; /* offset of the tag of the function that has it */
  int number;
} wire_upvalue;

/* One encoding; kept and used again. */
typedef struct encoder {
  struct encoder *next; /* all of a state */
  bool busy;
  bool refused; /* the error raised is a refusal in words */
  bool plain;
  enum wire_mode mode;
  lua_State *L;
  wire_state *state;
  wire_message *out;
  const char *what;
  int root, count;     /* number of the value being encoded, of all */
  const void *globals; /* identity of the table of globals */
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
} encoder;

/* Where a decoder stands inside a value that holds others. */
typedef struct decode_frame {
  unsigned char state;
  bool pairs, meta;
  size_t at;       /* offset of the tag */
  uint32_t done;   /* array values, or upvalues, read */
  uint64_t length; /* of the array; or upvalues */
} decode_frame;

/* One decoding; kept and used again. */
typedef struct decoder {
  struct decoder *next; /* all of a state */
  bool busy;
  bool refused;
  enum wire_mode mode;
  lua_State *L;
  wire_state *state;
  const unsigned char *p, *end, *start;
  size_t budget; /* elements that tables may still announce */
  fut_object *const *objects;
  size_t object_count;
  uint64_t count; /* values to come */
  decode_frame *frames;
  size_t depth, frame_capacity;
  int reserved;
  size_t key_count;
  int keys; /* reference of a table of key strings in the registry; strings
               of earlier messages stay there until overwritten */
} decoder;

struct wire_state {
  const wire_hooks *hooks;
  encoder *encoders;
  decoder *decoders;
  code_cache codes;
};

/* Return an idle encoder or decoder, marked busy. Raises a memory error. */
encoder *wire_encoder_take(lua_State *L, wire_state *state);
decoder *wire_decoder_take(lua_State *L, wire_state *state);

/* Raise the refusal whose text is on top of the stack. */
_Noreturn void wire_refuse(lua_State *L, wire_state *state);

/* Inside a protected encoder_run(): raise the refusal of the value on top of
   the stack, with the path to it. kind says what it is. */
_Noreturn void encoder_refuse(encoder *e, const char *kind);

#endif
