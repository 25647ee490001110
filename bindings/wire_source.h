/* wire_source.h - functions that came as source, each text compiled once */
#ifndef FUT_WIRE_SOURCE_H
#define FUT_WIRE_SOURCE_H

#include "wire_code.h"

enum {
  SOURCE_LIMIT = 256,          /* texts that a state keeps, a power of two */
  SOURCE_BYTE_LIMIT = 4 << 20, /* and how many bytes of text and bytecode */
};

/* A source as it lies in a message: its kind, chunk name, lines and text. */
typedef struct source_text {
  const unsigned char *bytes; /* all of it */
  size_t size;
  bool main; /* the text is that of the function itself */
  size_t lines;
  const char *name, *text;
  size_t name_length, text_length;
} source_text;

typedef struct source_entry {
  unsigned char *bytes; /* a copy; NULL if the slot is empty */
  size_t size;
  uint64_t hash;
  int holder; /* reference of a userdata that holds the code */
  const wire_code *code;
} source_entry;

/* What a state knows of sources that came. When full it is emptied. */
typedef struct source_cache {
  source_entry *entries; /* SOURCE_LIMIT * 2, or NULL before the first; open
                            addressing */
  size_t count, byte_count;
} source_cache;

void source_cache_init(source_cache *cache);
/* L may be closing. */
void source_cache_fini(lua_State *L, source_cache *cache);

/* Read the source that begins at p with its kind. Returns the byte after it,
   or NULL if it is none or cut off. */
const unsigned char *source_text_read(const unsigned char *p,
                                      const unsigned char *end,
                                      source_text *source);

/* Push a value and return the code of the same source, byte for byte, which
   lives as long as that value does; or NULL with nothing pushed. Never runs
   the collector. */
const wire_code *source_cache_push(lua_State *L, const source_cache *cache,
                                   const source_text *source);

/* The same after compiling the source, which is text and sees no globals.
   Returns NULL, and pushes what is wrong, if that makes no function. Needs 8
   stack slots. Raises a memory error. */
const wire_code *source_cache_compile(lua_State *L, source_cache *cache,
                                      code_cache *codes,
                                      const source_text *source);

#endif
