/* wire_format.h - what the bytes of a message mean

   message  = version, flags, count (varint), count values, WIRE_FINISH; with
              WIRE_FLAG_GLOBALS (1, string, value)*, 0 before the finish
   string   = length (varint), bytes
   varint   = 7 bits a byte, lowest first, the high bit says that more follow
   offset   = varint: where in the message the tag of an earlier value lies

   A value begins with a tag. Numbers are little endian. Whatever may be met
   twice has a second tag, one higher, for the case that it is: the encoder
   writes the even one and turns it into the odd one when the value comes
   again, so the decoder keeps only what is really shared.

   table    = tag, array length (varint), size, array values, pairs, metatable
   size     = 0 if there are no pairs, else 1 + log2 of their number, rounded up
   pairs    = (key, value)*, WIRE_KEY_END; left out when size is 0
   key      = WIRE_KEY_NEW, length byte, bytes: a short string, which takes the
              next number, modulo WIRE_KEY_LIMIT
            | WIRE_KEY_NEAR + number | WIRE_KEY_FAR, number in two bytes
            | WIRE_KEY_VALUE, value
   function = tag, index of its code among the objects, upvalues
            | tag of a source, source, number of upvalues (varint), upvalues
   source   = WIRE_SOURCE_MAKER or _MAIN, chunk name (string), line breaks
              before the text (varint), text (string)
            | WIRE_SOURCE_EARLIER, offset of a function with such a source
            | WIRE_SOURCE_SHELVED, place (varint): such a source lies there on
              the shelf of the pool, which goes only to workers of it
   upvalue  = value, WIRE_GLOBALS, WIRE_ENVIRONMENT, or WIRE_UPVALUE, offset of
              a function, number (byte): shared with it */
#ifndef FUT_WIRE_FORMAT_H
#define FUT_WIRE_FORMAT_H

enum { WIRE_VERSION = 0xF1, WIRE_FINISH = 0xFE };

/* Flags of a message. */
enum {
  WIRE_FLAG_PLAIN = 1,   /* only nil, booleans, numbers and strings */
  WIRE_FLAG_GLOBALS = 2, /* globals come along */
};

enum wire_tag {
  WIRE_NIL = 0x00,
  WIRE_FALSE = 0x01,
  WIRE_TRUE = 0x02,
  WIRE_INT16 = 0x03,
  WIRE_INT32 = 0x04,
  WIRE_INT64 = 0x05,
  WIRE_FLOAT = 0x06,
  WIRE_POINTER = 0x08,     /* light userdata in 8 bytes; threads only */
  WIRE_GLOBALS = 0x09,     /* the receiver's table of globals */
  WIRE_REF = 0x0A,         /* offset: the same value once more */
  WIRE_UPVALUE = 0x0B,     /* only in place of an upvalue */
  WIRE_OBJECT = 0x0C,      /* index of a counted object that is no code */
  WIRE_ENVIRONMENT = 0x0D, /* only as an upvalue: the globals that came along
                              before the receiver's */
  WIRE_LONG = 0x10,        /* length (varint), bytes: a string */
  WIRE_CODE = 0x12,        /* index: a function of no upvalue but the globals */
  WIRE_FUNCTION = 0x14,
  WIRE_TABLE = 0x18,      /* + WIRE_META */
  WIRE_MODULE = 0x20,     /* type, name */
  WIRE_FIELD = 0x22,      /* type, name of a module, name of a field of it */
  WIRE_REGISTERED = 0x24, /* type, name */
  WIRE_REDUCED = 0x26,    /* type, count (varint), function, arguments */
  WIRE_SOURCE = 0x28,     /* function as text */
  WIRE_SHORT = 0x40,      /* + length, up to WIRE_SHORT_LIMIT */
  WIRE_SMALL = 0x80,      /* + integer - WIRE_SMALL_MIN */
  WIRE_SHARED = 0x01,     /* bit of an even tag from WIRE_LONG on */
  WIRE_META = 0x02,       /* bit of WIRE_TABLE: a metatable follows */
};

/* The byte after WIRE_SOURCE. */
enum wire_source {
  WIRE_SOURCE_MAKER = 0, /* the text is that of a chunk that returns it */
  WIRE_SOURCE_MAIN = 1,  /* the text is that of the function itself */
  WIRE_SOURCE_EARLIER = 2,
  WIRE_SOURCE_SHELVED = 3,
};

enum wire_key {
  WIRE_KEY_END = 0,
  WIRE_KEY_VALUE = 1,
  WIRE_KEY_NEW = 2,
  WIRE_KEY_FAR = 3,
  WIRE_KEY_NEAR = 4,
};

enum {
  WIRE_SMALL_MIN = -16, /* integers of one byte */
  WIRE_SMALL_MAX = 111,
  WIRE_SHORT_LIMIT = 40,   /* longest string that Lua keeps only once */
  WIRE_KEY_LIMIT = 1024,   /* how many keys are remembered */
  WIRE_KEY_NEAR_END = 252, /* numbers below this take one byte */
  WIRE_DEPTH_LIMIT = 100000,
  WIRE_LINES_LIMIT = 1 << 20, /* line breaks that are counted */
};

#endif
