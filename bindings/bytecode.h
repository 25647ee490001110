/* bytecode.h - what a dumped function does with its upvalues and globals */
#ifndef FUT_BYTECODE_H
#define FUT_BYTECODE_H

#include <stdbool.h>
#include <stddef.h>

enum { BYTECODE_UPVALUES = 256 };

/* Sets of upvalues, numbered from 0, as bits. */
typedef struct bytecode_facts {
  unsigned char captured[BYTECODE_UPVALUES / 8]; /* by a nested function */
  unsigned char assigned[BYTECODE_UPVALUES / 8]; /* here or in a nested one */
} bytecode_facts;

static inline bool bytecode_has(const unsigned char *set, unsigned upvalue) {
  return set[upvalue / 8] >> upvalue % 8 & 1;
}

/* Called with the name of a field that is read or written in upvalue env:
   a global if that holds the globals. May be called more than once a name. */
typedef void bytecode_global(void *context, const char *name, size_t length);

/* Read what lua_dump() wrote. env is the number of an upvalue, or negative;
   global may be NULL. Returns false if these are not bytes of a version that
   is known; then nothing in facts means anything. */
bool bytecode_scan(const unsigned char *bytes, size_t size, int env,
                   bytecode_facts *facts, bytecode_global *global,
                   void *context);

#endif
