/* decoder.h - what the parts of a decoder share */
#ifndef FUT_DECODER_H
#define FUT_DECODER_H

#include "wire_read.h"
#include "wire_state.h"

/* Places in the stack of a running decoder. */
enum {
  AT_DECODER = 1,
  AT_KEYS,        /* table: strings that were keys, by number + 1 */
  AT_SHARED,      /* table: values that come again, by offset; or nil */
  AT_LATER,       /* array of table, metatable, ...; or nil */
  AT_ENVIRONMENT, /* with the globals that came along; or nil */
};

/* What the value that is being read will be. */
enum decode_part {
  IN_ARRAY,
  IN_KEY,
  IN_VALUE,
  IN_METATABLE,
  IN_UPVALUES,
  IN_REDUCED,
};

/* Where a decoder stands inside a value that holds others. */
typedef struct decode_frame {
  unsigned char part;
  bool pairs, meta, shared;
  size_t at;       /* offset of the tag */
  uint64_t done;   /* array values, upvalues or parts read */
  uint64_t length; /* how many there are */
} decode_frame;

/* One decoding; kept and used again. */
struct decoder {
  decoder *next; /* all of a state */
  bool busy;
  bool refused; /* the error raised is a refusal in words */
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
  int reserved; /* stack slots below this index are ours */
  size_t key_count;
  int keys; /* reference of a table of key strings in the registry; strings
               of earlier messages stay there until overwritten */
};

/* Return an idle decoder, marked busy. Raises a memory error. */
decoder *decoder_take(lua_State *L, wire_state *state);
/* Make it idle. */
void decoder_give(decoder *d);
/* L may be closing. */
void decoder_free(lua_State *L, decoder *d);

/* Raise the refusal of malformed bytes. */
_Noreturn void decoder_fail(decoder *d, const char *why);

/* Raise the refusal whose text is on top. */
_Noreturn void decoder_refuse(decoder *d);

/* Enter a new frame for the value whose tag lies at the offset. */
decode_frame *decoder_push_frame(decoder *d, enum decode_part part, size_t at);

/* Make sure of some free stack slots. */
void decoder_reserve(decoder *d);

/* Note the value on top, which comes again, under the offset of its tag. */
void decoder_keep_shared(decoder *d, size_t at);

/* Push the value noted under the offset that comes next. */
void decoder_push_shared(decoder *d);

static inline uint64_t decoder_varint(decoder *d) {
  uint64_t value = 0;
  const unsigned char *p = wire_get_varint(d->p, d->end, &value);
  if (p == NULL)
    decoder_fail(d, "bad number");
  d->p = p;
  return value;
}

static inline unsigned decoder_byte(decoder *d) {
  if (d->p == d->end)
    decoder_fail(d, "truncated");
  return *d->p++;
}

#endif
