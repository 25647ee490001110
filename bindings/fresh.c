/* fresh.c - the globals of the libraries of Lua 5.4 */
#include "fresh.h"

#include <string.h>

/* The base library comes last: what string holds is named after string. */
const char *const fresh_modules[] = {"coroutine", "debug",   "io",     "math",
                                     "os",        "package", "string", "table",
                                     "utf8",      "_G",      NULL};

const char *const fresh_functions[] = {
    "assert",   "collectgarbage", "dofile",   "error",        "getmetatable",
    "ipairs",   "load",           "loadfile", "next",         "pairs",
    "pcall",    "print",          "rawequal", "rawget",       "rawlen",
    "rawset",   "require",        "select",   "setmetatable", "tonumber",
    "tostring", "type",           "warn",     "xpcall",       NULL};

static bool contains(const char *const *names, const char *name,
                     size_t length) {
  for (; names && *names; names++)
    if (strlen(*names) == length && memcmp(*names, name, length) == 0)
      return true;
  return false;
}

bool fresh_global(const char *name, size_t length, const char *const *more) {
  return contains(fresh_functions, name, length) ||
         contains(fresh_modules, name, length) ||
         (length == 8 && memcmp(name, "_VERSION", 8) == 0) ||
         contains(more, name, length);
}
