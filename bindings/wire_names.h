/* wire_names.h - values that travel by name: modules and what they hold */
#ifndef FUT_WIRE_NAMES_H
#define FUT_WIRE_NAMES_H

#include "wire_message.h"

/* Where a value was seen. The strings are numbers in a table of Lua. */
typedef struct name_item {
  const void *pointer; /* identity of the value; it may be gone */
  int type;
  uint32_t module; /* 0: registered under the name that is the field */
  uint32_t field;  /* 0: the module itself */
} name_item;

/* The index of one state. Requires init before everything else. */
typedef struct wire_names {
  int strings, loaded, registered; /* references of tables in the registry */
  const unsigned *registrations;   /* so far, in this lua_State */
  unsigned registrations_seen;     /* when the index was built */
  uint32_t string_count, own_strings;
  uint32_t module_string;  /* the last name of a module, 0 if there is none */
  const char *module_name; /* identity of that string */
  name_item *items;
  size_t item_count, own_items, item_capacity;
  uint32_t *slots; /* 1 + number of an item; open addressing */
  size_t slot_count;
  uint64_t signature;       /* of package.loaded when the index was built */
  bool built;               /* more than Lua's own libraries */
  const char *const *fresh; /* globals that the host adds, or NULL */
} wire_names;

void wire_names_init(wire_names *names);
/* L may be closing. */
void wire_names_fini(lua_State *L, wire_names *names);

/* Note what Lua's own libraries hold now: later only this is theirs, so that
   a function put in the place of another never passes for it. What is
   registered is known to all indices of one lua_State. */
void wire_names_open(lua_State *L, wire_names *names);

/* Rebuild the index if modules have come or gone since; true if so. */
bool wire_names_refresh(lua_State *L, wire_names *names);

/* Whether values were registered since the index was built. */
bool wire_names_outdated(const wire_names *names);

/* Rebuild the index: a module may have a new field. */
void wire_names_rebuild(lua_State *L, wire_names *names);

/* The item of a value, or NULL. */
name_item *wire_names_find(const wire_names *names, const void *pointer,
                           int type);

/* If the value at index has a name, and this very value is found there now,
   write the name and return true. Never runs the collector. */
bool wire_names_put(lua_State *L, wire_names *names, wire_message *out,
                    int index);

/* Name the value on top of the stack and pop it. */
void wire_names_register(lua_State *L, wire_names *names, const char *name);

/* A name that has come. */
typedef struct wire_name {
  int type;
  const char *module, *field; /* NULL if there is none */
  size_t module_length, field_length;
} wire_name;

/* Read the name that begins at p with its tag. Returns the byte after it, or
   NULL if it is none or cut off. */
const unsigned char *wire_name_read(const unsigned char *p,
                                    const unsigned char *end, wire_name *name);

/* Push what the name means here. The module is loaded if may_load. Returns
   false with a message instead if there is no such thing. */
bool wire_names_push(lua_State *L, wire_names *names, const wire_name *name,
                     bool may_load);

#endif
