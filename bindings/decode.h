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
void decoder_begin_source(decoder *d, size_t at);
void decoder_push_code(decoder *d);

/* Fill the value on top until one in it needs a frame (false) or it is
   complete (true). */
bool decoder_step_table(decoder *d, decode_frame *f);
bool decoder_step_function(decoder *d, decode_frame *f);

/* The value on top is complete: put it where the table's frame wants it. */
void decoder_attach_to_table(decoder *d, decode_frame *f);

/* Set the metatables that could not be set earlier. */
void decoder_set_late_metatables(lua_State *L);

/* Push the code named at p if it has no upvalue but the globals; returns the
   byte after it, or NULL with nothing pushed. */
const unsigned char *decode_known_code(lua_State *L, wire_state *state,
                                       const unsigned char *p,
                                       const unsigned char *end,
                                       fut_object *const *objects,
                                       size_t object_count);

/* Push the function at p as a closure used before, for one call, if all its
   upvalues are plain; fills in the lease and returns the byte after it, or
   NULL with nothing pushed. */
const unsigned char *decode_leased(lua_State *L, wire_state *state,
                                   const unsigned char *p,
                                   const unsigned char *end,
                                   fut_object *const *objects,
                                   size_t object_count, wire_lease *lease);

#endif
