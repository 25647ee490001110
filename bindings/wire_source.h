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

enum { SOURCE_SHELVED = 256 }; /* places that are remembered */

/* Whose source lies at a place of the shelf. */
typedef struct source_shelved {
  uint64_t place; /* 0: nobody's */
  int holder;     /* as in source_entry, which has it */
  const wire_code *code;
} source_shelved;

typedef struct source_entry {
  unsigned char *bytes; /* a copy; NULL if the slot is empty */
  size_t size;
  uint64_t hash;
  int holder; /* reference of a userdata that holds the code */
  const wire_code *code;
} source_entry;

/* What a state knows of sources that came. When full it is emptied. */
typedef struct source_cache {
  source_entry *entries;   /* SOURCE_LIMIT * 2, or NULL before the first; open
                              addressing */
  source_shelved *shelved; /* SOURCE_SHELVED, by place, or NULL before the
                              first; the last one that was met stays */
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

/* The same of the source that lies at a place of the shelf, met before. */
const wire_code *source_cache_push_shelved(lua_State *L,
                                           const source_cache *cache,
                                           uint64_t place);

/* Remember that a source lies at that place, if it is known. */
void source_cache_shelve(lua_State *L, source_cache *cache, uint64_t place,
                         const source_text *source);

/* As source_cache_push() after compiling the source, which is text and sees no
   globals. Returns NULL, and pushes what is wrong, if that makes no function.
   Needs 8 stack slots. Raises a memory error. */
const wire_code *source_cache_compile(lua_State *L, source_cache *cache,
                                      code_cache *codes,
                                      const source_text *source);

#endif
