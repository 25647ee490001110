/* lview.h - an executor as seen with options for its calls */
#ifndef FUT_LVIEW_H
#define FUT_LVIEW_H

#include "clock.h"

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* The options of submit and map. */
typedef struct call_options {
  double timeout; /* seconds; HUGE_VAL: none */
  double priority;
  const char *name;  /* lives as long as the view; NULL: none */
  size_t chunksize;  /* 0: as the items turn out */
  size_t buffersize; /* 0: none */
  bool ordered;
} call_options;

/* Return the options of the argument, the usual ones if it is no view. Borrowed
   for as long as the argument lives. Never raises. */
const call_options *view_options(lua_State *L, int arg);

/* Push the executor that the view at index is of; false, with nothing pushed,
   if it is no view. Never raises. */
bool view_push_executor(lua_State *L, int index);

/* Let views whose metatable is on top of the stack travel. */
void view_set_reduce(lua_State *L);

/* view(executor, options) -> view; the executor may be a view, whose options
   hold where there are no others. The options were checked. */
int l_view_new(lua_State *L);

#endif
