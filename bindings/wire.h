/* wire.h - Lua values as bytes, and back */
#ifndef FUT_WIRE_H
#define FUT_WIRE_H

#include "executor.h"

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes, and the counted objects that they name by index. Embedded by its
   owner; may be handed to another thread. */
typedef struct wire_message {
  unsigned char *bytes;
  size_t size, capacity;
  fut_object **objects; /* each entry holds one reference */
  size_t object_count, object_capacity;
  size_t limit; /* bytes that it may hold, beyond which there is no memory; 0:
                   any number */
  fut_executor *shelf; /* source goes to where its workers have it, if that is
                          possible; borrowed, NULL: nowhere */
  bool busy; /* being encoded into: finalizers that send need another one */
} wire_message;

/* Start empty, with no memory. */
void wire_message_init(wire_message *message);

/* Drop the bytes and objects but keep the memory for the next encoding. */
void wire_message_clear(wire_message *message);

/* Free everything; the message is then as after wire_message_init(). */
void wire_message_fini(wire_message *message);

/* Where a message goes, or comes from. */
enum wire_mode {
  WIRE_THREAD,   /* a state of this process: functions are shared bytecode,
                    objects and light userdata travel as they are */
  WIRE_PORTABLE, /* anywhere: functions as source, nothing that is a pointer */
  WIRE_DATA,     /* only to decode: as portable, but no function is accepted,
                    nothing is run and no module loaded */
};

/* The scratch memory and caches of one lua_State, used only by the thread
   that runs it. It lives in a userdata. */
typedef struct wire_state wire_state;

/* What the surroundings supply. All members may be NULL. */
typedef struct wire_hooks {
  /* Raise the error for a value that cannot travel, or for malformed bytes.
     The message is a string on top of the stack. Must not return. */
  void (*refuse)(lua_State *L, const char *message);
  /* Return the counted object behind the userdata at index (borrowed), or
     NULL if it is of another kind. May encode other messages, and raise what
     that does. Thread mode only. */
  fut_object *(*object)(lua_State *L, int index);
  /* Push the userdata that stands for object in this state. */
  void (*push_object)(lua_State *L, fut_object *object);
  /* Names of globals that every new state has besides those of Lua's own
     libraries, so that they are not sent along; ends with NULL. */
  const char *const *fresh;
} wire_hooks;

/* Push a new wire state. Requires that the caller anchors the userdata for
   as long as the pointer is used. */
wire_state *wire_state_push(lua_State *L);

/* Borrows hooks for the life of the state. */
void wire_state_set_hooks(wire_state *state, const wire_hooks *hooks);

/* Pop the Lua function that gives the source of a function: called with it,
   returns text, chunk name, names of upvalues, whether the text is itself the
   function; raises a string. Without one, portable functions are refused. */
void wire_state_set_source(lua_State *L, wire_state *state);

/* Source may lie on that shelf (shelf.h) of so many bytes, which stays. */
void wire_state_set_shelf(wire_state *state, const unsigned char *shelf,
                          size_t size);

/* Pop the value on top, which travels under the name from now on. */
void wire_state_register(lua_State *L, wire_state *state, const char *name);

/* Encode the count values of L's stack that start at index first into out,
   which is cleared before. what names them in refusals: "result" or "error"
   (numbered when there is more than one), or "argument", where the first
   value is the task's function and argument 1 follows it. Raises what
   hooks->refuse raises, a memory error, or what a __reduce raises; out then
   needs only the usual wire_message_fini(). May run user code (__reduce,
   finalizers), which may encode too, but not into the same out. */
void wire_encode(lua_State *L, wire_state *state, int first, int count,
                 enum wire_mode mode, const char *what, wire_message *out);

/* Push the values and return how many. Malformed bytes raise through
   hooks->refuse and do nothing else. Borrows bytes and objects. */
int wire_decode(lua_State *L, wire_state *state, enum wire_mode mode,
                const unsigned char *bytes, size_t size,
                fut_object *const *objects, size_t object_count);

/* A closure that is kept for the next task with the same code. */
typedef struct wire_lease {
  struct loaded_code *place;
} wire_lease;

/* As wire_decode(), but the first value is a task's function, which is called
   once and not kept: it may be a closure used before, its upvalues set anew.
   The lease is to be ended when the call has returned or failed, also when
   this function has raised; until then tasks run inside of it are given
   another closure. */
int wire_decode_task(lua_State *L, wire_state *state, enum wire_mode mode,
                     const unsigned char *bytes, size_t size,
                     fut_object *const *objects, size_t object_count,
                     wire_lease *lease);

/* Requires that wire_decode_task() filled the lease in, or {NULL}. */
void wire_lease_end(wire_lease *lease);

/* The Lua type of the first value, LUA_TNONE if there is none. Any thread. */
int wire_first_type(const unsigned char *bytes, size_t size);

/* Whether all values are nil, booleans, numbers and strings. Any thread. */
bool wire_plain(const unsigned char *bytes, size_t size);

#endif
