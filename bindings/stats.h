/* stats.h - how an executor stands, as a table */
#ifndef FUT_STATS_H
#define FUT_STATS_H

#include "executor.h"

#include <lua.h>

/* Push a new table of counts, times and memory. */
void stats_push(lua_State *L, fut_executor *executor);

#endif
