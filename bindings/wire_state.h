/* wire_state.h - what encoding and decoding keep in a state between calls */
#ifndef FUT_WIRE_STATE_H
#define FUT_WIRE_STATE_H

#include "pointer_map.h"
#include "wire_code.h"
#include "wire_load.h"
#include "wire_message.h"
#include "wire_names.h"
#include "wire_source.h"

typedef struct encoder encoder; /* encoder.h */
typedef struct decoder decoder; /* decoder.h */

struct wire_state {
  const wire_hooks *hooks;
  encoder *encoders; /* all, idle or busy */
  decoder *decoders;
  code_cache codes;
  load_cache loaded;
  source_cache sources;
  const unsigned char *shelf; /* NULL: there is none */
  size_t shelf_size;
  wire_names names;
  int source; /* reference of a function in the registry, or LUA_NOREF */
};

/* Raise the refusal whose text is on top of the stack. */
_Noreturn void wire_refuse(lua_State *L, wire_state *state);

#endif
