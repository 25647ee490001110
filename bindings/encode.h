/* encode.h - the parts of an encoder know each other */
#ifndef FUT_ENCODE_H
#define FUT_ENCODE_H

#include "wire_state.h"

/* Encode the value on top of the stack. If that is done, pop it and return
   true; else its frame, pushed last, must be stepped until it is gone. */
bool encoder_begin(encoder *e);

/* Go on with a table until a value in it needs a frame of its own, or all is
   written: then it is popped, and its frame too. */
void encoder_step_table(encoder *e, encode_frame *f);

/* What of a table's frame is being encoded. */
enum table_part { PART_VALUE, PART_KEY, PART_METATABLE };
enum table_part encoder_table_part(const encode_frame *f);

static inline void wire_put_pointer(lua_State *L, wire_message *out,
                                    int index) {
  unsigned char *p = wire_reserve(L, out, 16);
  *p = WIRE_POINTER;
  wire_put_u64(p + 1, (uint64_t)(uintptr_t)lua_touserdata(L, index));
  out->size += 9;
}

#endif
