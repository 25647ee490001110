/* context.h - what the module keeps for one lua_State */
#ifndef FUT_CONTEXT_H
#define FUT_CONTEXT_H

#include "completions.h"
#include "handle.h"
#include "notifier.h"
#include "spin.h"
#include "wait.h"
#include "wire.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/* An executor of this state that may still have workers. */
typedef struct context_pool {
  struct context_pool *next;
  fut_executor *executor; /* a reference of its own */
  bool abandoned;         /* the end of the state does not wait for it */
} context_pool;

/* One for each state that opened the module; the first upvalue of every
   function of it. Used only by the thread that runs the state. */
typedef struct context {
  lua_State *main;           /* the main thread of the state */
  fut_arena *arena;          /* of its futures; NULL once the state closes */
  fut_waiter *waiter;        /* this thread's */
  fut_spin spin;             /* this thread's */
  fut_completions callbacks; /* futures with callbacks that have ended */
  fut_notifier *notifier;    /* of callbacks; NULL before futures.fd() */
  wire_state *wire;          /* anchored in the registry */
  wire_message scratch;      /* what is being sent: see context_message() */
  context_pool *pools;
  fut_worker_local *local; /* whose state it is; NULL: no worker's */
  fut_runner *runner;      /* that runs it; NULL */
  fut_object *own_handle;  /* of its executor, until the task ends; or NULL */
  bool finishing;          /* the state closes: no new tasks */
  bool in_callback;        /* a callback is running: no other one runs */
  bool interrupted;        /* what ended the last callback was an interrupt */
  bool broken_off; /* ... so that there may be callbacks to go on with */
  lua_Hook hook;   /* the main thread's hook, as last seen */
  int hook_mask, hook_count;
  /* References in the registry. */
  int classes;          /* table: enum fail_class + 1 -> error class */
  int module;           /* table: what require "futures" returns */
  int future;           /* metatable of futures */
  int fields;           /* metatable of futures with fields of the user's */
  int executor;         /* metatable of thread pools */
  int process_executor; /* metatable of process pools */
  int serial_executor;  /* metatable of serial executors */
  int results;          /* metatable of results of map */
  int strong;           /* table: completion -> future with callbacks */
  int weak;      /* table: the same, for futures that only this state ends */
  int current;   /* the future whose callbacks are running, or false */
  int late;      /* table: function and future by turns, to be called before
                    the next callback of the current future */
  int handler;   /* message handler of callbacks */
  int interrupt; /* what interrupt_deliver() raised last, or false */
  int hook_meta; /* metatable of hooks (callbacks.c) */
  int travelled; /* weak table: address -> userdata, see travel.h */
  int kept;      /* table: what is to be finalized by hand (context.c) */
  lua_Integer late_first, late_last, kept_count;
} context;

/* Make the context of this state and push it: a userdata to be the first
   upvalue of the module's functions. Raises a memory error. */
context *context_push(lua_State *L);

/* Return the context of the running function. Raises if the state is closing
   and the context gone. */
context *context_get(lua_State *L);

/* Return the context of the state, or NULL if it has not opened the module. */
context *context_find(lua_State *L);

/* Make what waits by this context need: everything but the deadline. */
fut_wait context_wait(context *ctx, fut_deadline deadline);

/* Return an empty message to encode into, to be emptied at once; may push a
   value that keeps it. The scratch of the context, but for a finalizer that
   runs while that is being encoded into. */
wire_message *context_message(lua_State *L, context *ctx);

/* See that the end of the state waits for executor. False: out of memory. */
bool context_add_pool(context *ctx, fut_executor *executor);

/* Let go of pools that have ended. */
void context_prune_pools(context *ctx);

/* Do not wait for executor at the end of the state. */
void context_abandon_pool(context *ctx, const fut_executor *executor);

/* If the state closes, it will not finalize the userdata on top of the stack,
   which is new: see that it is finalized all the same. */
void context_keep_new(lua_State *L, context *ctx);

/* The state closes: let every task end and its callbacks run. May be called
   again. Never raises. Blocks. */
void context_finish(lua_State *L, context *ctx);

#endif
