/* bytecode.c - reading dumps of Lua 5.4

   The layout is the same in all 5.4.x (LUAC_VERSION 0x54, format 0); what is
   read must fit to the last byte, else the caller is told that nothing is
   known. An upvalue is followed into nested functions through their upvalue
   descriptors: those that are not "in stack" name one of the enclosing
   function. */
#include "bytecode.h"

#include <stdint.h>
#include <string.h>

/* Of lopcodes.h; an instruction is op:7 A:8 k:1 B:8 C:8 or op:7 A:8 Bx:17. */
enum {
  OP_LOADK = 3,
  OP_GETUPVAL = 9,
  OP_SETUPVAL = 10,
  OP_GETTABUP = 11,
  OP_SETTABUP = 15,
};

enum { NESTING_LIMIT = 200 }; /* the compiler's own is as large */

typedef struct constant {
  const char *string; /* NULL if it is none */
  size_t length;
} constant;

typedef struct reader {
  const unsigned char *p, *end;
  bool bad;
  bytecode_facts *facts;
  bytecode_global *global;
  void *context;
} reader;

/* Which upvalues of the outermost function those of this one are: 1 + number,
   0 for a local of a function between. */
typedef struct scope {
  uint16_t outer[BYTECODE_UPVALUES];
  int env; /* here; -1 if unknown */
  int depth;
} scope;

static const unsigned char *take(reader *r, size_t size) {
  const unsigned char *p = r->p;
  if (r->bad || size > (size_t)(r->end - p)) {
    r->bad = true;
    return NULL;
  }
  r->p += size;
  return p;
}

static unsigned take_byte(reader *r) {
  const unsigned char *p = take(r, 1);
  return p ? *p : 0;
}

/* 7 bits a byte, highest first; the last byte has its high bit set. */
static size_t take_size(reader *r) {
  size_t value = 0;
  for (;;) {
    unsigned byte = take_byte(r);
    if (r->bad || value > SIZE_MAX >> 8) {
      r->bad = true;
      return 0;
    }
    value = value << 7 | (byte & 0x7F);
    if (byte & 0x80)
      return value;
  }
}

static constant take_string(reader *r) {
  size_t size = take_size(r);
  if (size == 0 || r->bad)
    return (constant){NULL, 0};
  return (constant){(const char *)take(r, size - 1), size - 1};
}

/* Skip n elements of size bytes each. */
static const unsigned char *take_vector(reader *r, size_t *n, size_t size) {
  *n = take_size(r);
  if (*n > (size_t)(r->end - r->p) / size)
    r->bad = true;
  return take(r, *n * size);
}

static constant take_constant(reader *r) {
  switch (take_byte(r)) {
  case 0x00: /* nil */
  case 0x01: /* false */
  case 0x11: /* true */
    break;
  case 0x03: /* integer */
  case 0x13: /* float */
    take(r, 8);
    break;
  case 0x04: /* strings */
  case 0x14:
    return take_string(r);
  default:
    r->bad = true;
  }
  return (constant){NULL, 0};
}

static uint32_t instruction(const unsigned char *code, size_t i) {
  uint32_t word;
  memcpy(&word, code + i * 4, 4); /* in the byte order of this machine */
  return word;
}

/* Find constant number k in the bytes from constants on. */
static void report(reader *r, const unsigned char *constants, size_t count,
                   size_t k) {
  reader c = *r;
  constant found = {NULL, 0};
  c.p = constants;
  if (k >= count)
    return;
  for (size_t i = 0; i <= k; i++)
    found = take_constant(&c);
  if (found.string && !c.bad)
    r->global(r->context, found.string, found.length);
}

static void note(unsigned char *set, const scope *s, unsigned upvalue) {
  unsigned outer = s->outer[upvalue];
  if (outer)
    set[(outer - 1) / 8] |= (unsigned char)(1 << (outer - 1) % 8);
}

static void scan_code(reader *r, const scope *s, const unsigned char *code,
                      size_t size, const unsigned char *constants,
                      size_t constant_count) {
  for (size_t i = 0; i < size; i++) {
    uint32_t word = instruction(code, i);
    unsigned op = word & 0x7F, a = word >> 7 & 0xFF, b = word >> 16 & 0xFF,
             c = word >> 24;
    if (op == OP_SETUPVAL)
      note(r->facts->assigned, s, b);
    if (s->env < 0 || r->global == NULL)
      continue;
    unsigned env = (unsigned)s->env;
    if (op == OP_GETTABUP && b == env)
      report(r, constants, constant_count, c);
    else if (op == OP_SETTABUP && a == env)
      report(r, constants, constant_count, b);
    else if (op == OP_GETUPVAL && b == env && i + 1 < size) {
      /* a name that does not fit into one byte is loaded into a register */
      uint32_t next = instruction(code, i + 1);
      if ((next & 0x7F) == OP_LOADK)
        report(r, constants, constant_count, next >> 15);
    }
  }
}

static void scan_function(reader *r, const scope *enclosing);

static void scan_debug(reader *r) {
  size_t n;
  take_vector(r, &n, 1); /* lines */
  for (n = take_size(r); n > 0 && !r->bad; n--) {
    take_size(r);
    take_size(r);
  }
  for (n = take_size(r); n > 0 && !r->bad; n--) { /* local variables */
    take_string(r);
    take_size(r);
    take_size(r);
  }
  for (n = take_size(r); n > 0 && !r->bad; n--)
    take_string(r); /* names of upvalues */
}

/* Fill in which upvalues the function has; enclosing is NULL and s ready for
   the outermost one. */
static void scan_upvalues(reader *r, scope *s, const scope *enclosing) {
  size_t count;
  const unsigned char *p = take_vector(r, &count, 3);
  if (r->bad || count > BYTECODE_UPVALUES)
    r->bad = true;
  if (r->bad || enclosing == NULL)
    return;
  for (size_t i = 0; i < count; i++, p += 3) {
    if (p[0]) /* a local variable of the enclosing function */
      continue;
    s->outer[i] = enclosing->outer[p[1]];
    if (p[1] == enclosing->env)
      s->env = (int)i;
    note(r->facts->captured, s, (unsigned)i);
  }
}

static void scan_body(reader *r, scope *s, const scope *enclosing) {
  size_t code_size, constant_count;
  take_string(r); /* source */
  take_size(r);   /* lines */
  take_size(r);
  take(r, 3); /* parameters, vararg, stack size */
  const unsigned char *code = take_vector(r, &code_size, 4);
  constant_count = take_size(r);
  const unsigned char *constants = r->p;
  for (size_t i = 0; i < constant_count && !r->bad; i++)
    take_constant(r);
  scan_upvalues(r, s, enclosing);
  if (!r->bad)
    scan_code(r, s, code, code_size, constants, constant_count);
  for (size_t n = take_size(r); n > 0 && !r->bad; n--)
    scan_function(r, s);
  scan_debug(r);
}

static void scan_function(reader *r, const scope *enclosing) {
  scope s = {.env = -1, .depth = enclosing->depth + 1};
  if (s.depth > NESTING_LIMIT)
    r->bad = true;
  else
    scan_body(r, &s, enclosing);
}

bool bytecode_scan(const unsigned char *bytes, size_t size, int env,
                   bytecode_facts *facts, bytecode_global *global,
                   void *context) {
  static const unsigned char head[] = "\x1bLua\x54\0\x19\x93\r\n\x1a\n\4\b\b";
  reader r = {bytes, bytes + size, false, facts, global, context};
  memset(facts, 0, sizeof *facts);
  const unsigned char *p = take(&r, sizeof head - 1);
  if (p == NULL || memcmp(p, head, sizeof head - 1) != 0)
    return false;
  take(&r, 16);  /* an integer and a float, to check their layout */
  take_byte(&r); /* how many upvalues the closure gets */
  scope s = {.env = env, .depth = 0};
  for (unsigned i = 0; i < BYTECODE_UPVALUES; i++)
    s.outer[i] = (uint16_t)(i + 1);
  scan_body(&r, &s, NULL);
  return !r.bad && r.p == r.end;
}
