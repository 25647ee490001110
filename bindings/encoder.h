/* encoder.h - what the parts of an encoder share */
#ifndef FUT_ENCODER_H
#define FUT_ENCODER_H

#include "wire_state.h"

/* Places in the stack of a running encoder; nil until needed. */
enum {
  AT_ENCODER = 1,
  AT_EXCLUDED, /* table: globals that cannot travel */
  AT_GLOBALS,  /* array of names of globals that come along, and by name
                  their values */
  AT_ANCHORS,  /* array: what must live until the end */
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
                      identities of upvalues to their number, and codes whose
                      source was written, by their ids, to its offset */
  wire_upvalue *upvalues;
  size_t upvalue_count, upvalue_capacity;
  /* Strings that were keys, by number; a number below the count of this
     message is valid, so nothing needs emptying. */
  size_t key_count;
  unsigned last_key;
  struct encoder_key {
    const void *string; /* its identity */
    uint16_t follower;  /* number of the key that came after it last */
  } keys[WIRE_KEY_LIMIT];
  uint16_t key_slots[WIRE_KEY_LIMIT * 2]; /* hash of pointer -> number */
};

/* Return an idle encoder, marked busy. Raises a memory error. */
encoder *encoder_take(lua_State *L, wire_state *state);
/* Make it idle. */
void encoder_give(encoder *e);
void encoder_free(encoder *e);

/* Enter the value on top, whose tag lies at the offset. */
encode_frame *encoder_push_frame(encoder *e, enum frame_kind kind, size_t at);

/* Whether pointer was met: then write a reference to it. Else it is noted as
   lying here. */
bool encoder_put_met(encoder *e, const void *pointer);

void encoder_put_tag(encoder *e, enum wire_tag tag);
void encoder_put_number(encoder *e, enum wire_tag tag, size_t number);

/* If the value on top, whose type is noted, has a name, write that. */
bool encoder_put_name(encoder *e);

/* See that the index of names knows all modules; may begin all anew. */
void encoder_refresh_names(encoder *e);

/* Whether the value on top is the table of globals or stands for it; is_env
   says that it is what a function calls _ENV. */
bool encoder_is_globals(encoder *e, bool is_env);

/* Raise the refusal of the value on top of the stack, with the path to it.
   kind says what it is. */
_Noreturn void encoder_refuse(encoder *e, const char *kind);

/* Leave the protected part, for the reason given. */
_Noreturn void encoder_leave(encoder *e, enum encode_end end);

#endif
