/* fail.h - the error classes, and raising their instances */
#ifndef FUT_FAIL_H
#define FUT_FAIL_H

#include "context.h"

/* X(constant, name, constant of the parent): parents before children. */
#define FAIL_CLASSES(X)                                                        \
  X(FAIL_ERROR, "Error", FAIL_ERROR)                                           \
  X(FAIL_CANCELLED, "CancelledError", FAIL_ERROR)                              \
  X(FAIL_TIMEOUT, "TimeoutError", FAIL_ERROR)                                  \
  X(FAIL_INVALID_STATE, "InvalidStateError", FAIL_ERROR)                       \
  X(FAIL_SERIALIZATION, "SerializationError", FAIL_ERROR)                      \
  X(FAIL_RUNTIME, "RuntimeError", FAIL_ERROR)                                  \
  X(FAIL_BROKEN_EXECUTOR, "BrokenExecutor", FAIL_RUNTIME)                      \
  X(FAIL_BROKEN_THREAD_POOL, "BrokenThreadPool", FAIL_BROKEN_EXECUTOR)         \
  X(FAIL_BROKEN_PROCESS_POOL, "BrokenProcessPool", FAIL_BROKEN_EXECUTOR)

enum fail_class {
#define X(constant, name, parent) constant,
  FAIL_CLASSES(X)
#undef X
      FAIL_CLASS_COUNT
};

/* Make the classes and set them in the table on top of the stack. */
void fail_open(lua_State *L, context *ctx);

/* Replace the message on top of the stack by an instance of class with it. */
void fail_push(lua_State *L, context *ctx, enum fail_class class);

/* Raise an instance of class; the message is as of lua_pushfstring. */
_Noreturn void fail_raise(lua_State *L, context *ctx, enum fail_class class,
                          const char *format, ...);

/* Raise what a call of the runtime reported. */
_Noreturn void fail_raise_err(lua_State *L, context *ctx, fut_err err);

/* Raise the error that Lua raises when memory runs out. */
_Noreturn void fail_no_memory(lua_State *L);

/* Return the class of the value at index, which may be any, or -1 if it is no
   instance of one. */
int fail_class_of(lua_State *L, context *ctx, int index);

/* isinstance(value, class) */
int l_isinstance(lua_State *L);

#endif
