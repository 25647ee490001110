/* lfuture.h - the class of futures as Lua sees it */
#ifndef FUT_LFUTURE_H
#define FUT_LFUTURE_H

#include "context.h"

/* The userdata. Its user value is nil or a table with these members. */
enum {
  EXTRA_FIELDS = 1, /* table: what the user set */
  EXTRA_CALLBACKS,  /* array of functions */
  EXTRA_OUTCOME,    /* values or { error, traceback }, decoded, with field n */
  EXTRA_HOOK        /* the newest hook (callbacks.c) */
};

typedef struct future_box {
  const void *magic;     /* future_magic */
  fut_future *future;    /* a reference; NULL before and after */
  fut_object *hand;      /* of one completed by hand (promise.h); or NULL */
  fut_completion *watch; /* for callbacks; NULL if there are none */
  lua_Integer called;    /* how many of the callbacks have been called */
  bool watching;         /* watch has been added to the queue */
  bool kept;             /* was in context.kept */
  bool asked;            /* its outcome has been delivered to somebody */
} future_box;

extern const char future_magic;

/* Make the metatables and methods; the context is on top of the stack, the
   module below it. */
void lfuture_open(lua_State *L, context *ctx);

/* Push a new box without a future. */
future_box *future_push(lua_State *L, context *ctx);

/* Return the box at index, or NULL if it is no future. Never raises. */
future_box *future_test(lua_State *L, int index);

/* Return the box of the argument. Raises if it is none. */
future_box *future_check(lua_State *L, int arg);

/* Push the table of extras of the future at index, made if need be. */
void future_extra(lua_State *L, int index);

/* Wait until the future has ended and its callbacks have run. Raises
   TimeoutError at the deadline, and what an interrupt raises. Blocks. */
void future_wait(lua_State *L, context *ctx, fut_future *future,
                 fut_deadline deadline);

/* Return the values of the future at index 1, which has ended and is settled,
   or raise, as result() does. */
int future_deliver(lua_State *L, context *ctx, future_box *box);

/* As future_wait(), but return false at the deadline. */
bool future_wait_until(lua_State *L, context *ctx, fut_future *future,
                       fut_deadline deadline);

/* Raise what waiting for a cancelled future raises. */
_Noreturn void future_raise_cancelled(lua_State *L, context *ctx);

/* Run the callbacks that are due. */
void future_safe_point(lua_State *L, context *ctx);

/* Run the callbacks that are due for a future that was seen done. */
void future_settle(lua_State *L, context *ctx, fut_future *future);

#endif
