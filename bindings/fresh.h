/* fresh.h - which globals every new state has */
#ifndef FUT_FRESH_H
#define FUT_FRESH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a state has this global from the start; more names what the host
   adds to the libraries of Lua, ends with NULL and may itself be NULL. */
bool fresh_global(const char *name, size_t length, const char *const *more);

/* The libraries that every new state has loaded, ends with NULL. */
extern const char *const fresh_modules[];

/* The globals of the base library but for the modules, ends with NULL. */
extern const char *const fresh_functions[];

#endif
