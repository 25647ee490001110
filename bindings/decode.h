/* decode.h - the kinds of values, each a part of a decoder */
#ifndef FUT_DECODE_H
#define FUT_DECODE_H

#include "decoder.h"

/* Push the value that comes next. False if that has a frame, pushed last,
   which must be stepped until it is gone. */
bool decoder_begin(decoder *d);

/* Push the next value with all that it holds. */
void decoder_push_value(decoder *d);

/* Push the string that comes next, without a tag. */
void decoder_push_string(decoder *d);

/* Push a value and its frame, or what stands for a function; the tag has been
   read. */
void decoder_begin_table(decoder *d, unsigned tag, size_t at);
void decoder_begin_function(decoder *d, size_t at);
void decoder_begin_source(decoder *d, bool shared, size_t at);
void decoder_push_code(decoder *d);

/* Fill the value on top until one in it needs a frame (false) or it is
   complete (true). */
bool decoder_step_table(decoder *d, decode_frame *f);
bool decoder_step_function(decoder *d, decode_frame *f);

/* The value on top is complete: put it where the table's frame wants it. */
void decoder_attach_to_table(decoder *d, decode_frame *f);

/* Set the metatables that could not be set earlier. */
void decoder_set_late_metatables(lua_State *L);

/* What is read without a decoder. */
typedef struct decode_known {
  wire_state *state;
  enum wire_mode mode;
  const unsigned char *end;
  fut_object *const *objects;
  size_t object_count;
} decode_known;

/* Push the function at p if that needs no decoder: it was met before and has
   no upvalue but the globals; or lease is not NULL, and its upvalues are plain
   values: then it may be a closure used before, for one call, and the lease is
   filled in. Returns the byte after it, or NULL with nothing pushed. */
const unsigned char *decode_known_function(lua_State *L,
                                           const decode_known *known,
                                           const unsigned char *p,
                                           wire_lease *lease);

#endif
