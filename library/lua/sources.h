/* sources.h - the Lua sources of the module, as the build found them */
#ifndef FUT_SOURCES_H
#define FUT_SOURCES_H

#include <stddef.h>

typedef struct fut_source {
  const char *module; /* "futures.options" */
  const char *chunk;  /* "@futures/options.lua" */
  const unsigned char *text;
  size_t length;
} fut_source;

extern const fut_source fut_sources[]; /* the last one has no module */

#endif
