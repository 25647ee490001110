/* wire_message.c - the growing buffer of a message */
#include "wire_message.h"

#include "memory.h"

#include "wire_format.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void wire_message_init(wire_message *message) {
  memset(message, 0, sizeof *message);
}

void wire_message_clear(wire_message *message) {
  while (message->object_count > 0)
    fut_object_release(message->objects[--message->object_count]);
  message->size = 0;
}

void wire_message_fini(wire_message *message) {
  wire_message_clear(message);
  fut_memory_free(message->bytes);
  fut_memory_free(message->objects);
  wire_message_init(message);
}

_Noreturn void wire_no_memory(lua_State *L) {
  lua_pushliteral(L, "not enough memory"); /* lua_error knows this text */
  lua_error(L);
  abort(); /* lua_error() does not return, but does not say so */
}

void *wire_grow(lua_State *L, void *block, size_t *capacity, size_t needed,
                size_t size) {
  size_t wanted = *capacity < 16 ? 16 : *capacity;
  while (wanted < needed && wanted <= SIZE_MAX / 4)
    wanted *= 2;
  if (needed > wanted || wanted > SIZE_MAX / size / 2)
    wire_no_memory(L);
  block = fut_memory_resize(block, wanted * size);
  if (block == NULL)
    wire_no_memory(L);
  *capacity = wanted;
  return block;
}

void wire_message_grow(lua_State *L, wire_message *message, size_t more) {
  if (more > SIZE_MAX / 4 - message->size ||
      (message->limit && message->size + more > message->limit))
    wire_no_memory(L);
  message->bytes = wire_grow(L, message->bytes, &message->capacity,
                             message->size + more + 48, 1);
}

void wire_message_room(lua_State *L, wire_message *message) {
  if (message->object_count == message->object_capacity)
    message->objects =
        wire_grow(L, message->objects, &message->object_capacity,
                  message->object_count + 1, sizeof(fut_object *));
}

size_t wire_message_add(lua_State *L, wire_message *message,
                        fut_object *object) {
  wire_message_room(L, message);
  fut_object_hold(object);
  message->objects[message->object_count] = object;
  return message->object_count++;
}

bool wire_put_failure(wire_message *message, lua_Integer number,
                      const char *text) {
  size_t length = strlen(text);
  unsigned char *p = fut_memory_new(length + 32);
  if (p == NULL)
    return false;
  message->bytes = p;
  message->capacity = length + 32;
  *p++ = WIRE_VERSION;
  *p++ = WIRE_FLAG_PLAIN;
  *p++ = 3;
  p = wire_put_integer(p, number);
  if (length <= WIRE_SHORT_LIMIT)
    *p++ = (unsigned char)(WIRE_SHORT + length);
  else {
    *p++ = WIRE_LONG;
    p = wire_put_varint(p, length);
  }
  memcpy(p, text, length);
  p += length;
  *p++ = WIRE_NIL;
  *p++ = WIRE_FINISH;
  message->size = (size_t)(p - message->bytes);
  return true;
}

bool wire_plain(const unsigned char *bytes, size_t size) {
  return size > 1 && bytes[0] == WIRE_VERSION && (bytes[1] & WIRE_FLAG_PLAIN);
}

int wire_first_type(const unsigned char *bytes, size_t size) {
  size_t at = 2;
  if (size < 4 || bytes[0] != WIRE_VERSION || bytes[2] == 0)
    return LUA_TNONE;
  while (at < size && (bytes[at] & 0x80)) /* the count */
    at++;
  if (++at >= size)
    return LUA_TNONE;
  unsigned tag = bytes[at];
  if (tag >= WIRE_SMALL)
    return LUA_TNUMBER;
  if (tag >= WIRE_SHORT)
    return LUA_TSTRING;
  if (tag >= WIRE_LONG)
    tag &= ~(unsigned)WIRE_SHARED;
  switch (tag) {
  case WIRE_NIL:
    return LUA_TNIL;
  case WIRE_FALSE:
  case WIRE_TRUE:
    return LUA_TBOOLEAN;
  case WIRE_INT16:
  case WIRE_INT32:
  case WIRE_INT64:
  case WIRE_FLOAT:
    return LUA_TNUMBER;
  case WIRE_POINTER:
    return LUA_TLIGHTUSERDATA;
  case WIRE_OBJECT:
    return LUA_TUSERDATA;
  case WIRE_LONG:
    return LUA_TSTRING;
  case WIRE_CODE:
  case WIRE_SOURCE:
  case WIRE_FUNCTION:
    return LUA_TFUNCTION;
  case WIRE_GLOBALS:
  case WIRE_TABLE:
  case WIRE_TABLE | WIRE_META:
    return LUA_TTABLE;
  case WIRE_MODULE:
  case WIRE_FIELD:
  case WIRE_REGISTERED:
  case WIRE_REDUCED:
    return at + 1 < size && bytes[at + 1] < LUA_NUMTYPES ? bytes[at + 1]
                                                         : LUA_TNONE;
  default:
    return LUA_TNONE;
  }
}
