/* lresults.c - map, and its results as Lua sees them

   Calls go out in map itself and in each step that reads a result; how many
   are under way at a time is bounded wherever an input may have no end. What
   a step waits for ends in every case: see map.c and future.c; Ctrl-C,
   callbacks and the deadline are told apart by the wait. */
#include "lresults.h"

#include "arg.h"
#include "fail.h"
#include "lexecutor.h"
#include "lfuture.h"
#include "lsubmit.h"
#include "results.h"

#include <math.h>

static const char results_magic = 'm';

enum { PULL_NS = 20000 }; /* how long to pull while a result can be read */

static results *results_check(lua_State *L, int arg) {
  results *r = lua_touserdata(L, arg);
  if (lua_type(L, arg) != LUA_TUSERDATA || lua_rawlen(L, arg) < sizeof *r ||
      r->magic != &results_magic)
    arg_type_error(L, arg, "Results");
  return r;
}

/* --- the end ---------------------------------------------------------------
 */

/* Yield nothing any more; what was asked for is cancelled where it has not
   started. Requires that no calls are going out. Never raises. */
static void finish(results *r) {
  r->ended = true;
  if (r->executor == NULL)
    return;
  if (r->started && !fut_executor_forked(r->executor))
    r->carrier->cancel(r);
  r->carrier->close(r);
  r->executor = NULL;
}

/* Close what came along with an iterator, as a generic for does. */
static void close_input(lua_State *L) {
  int top = lua_gettop(L);
  lua_getiuservalue(L, 1, RESULTS_CLOSING);
  for (int i = 1; i <= RESULTS_VALUES; i++) {
    lua_pushnil(L);
    lua_setiuservalue(L, 1, i);
  }
  if (luaL_getmetafield(L, top + 1, "__close") != LUA_TNIL) {
    lua_pushvalue(L, top + 1);
    lua_pushnil(L);
    lua_call(L, 2, 0);
  }
  lua_settop(L, top);
}

/* End the results at index 1 in a call of theirs. Where an input or a callback
   does that while calls are going out, the step that sends them does the rest.
 */
static void end(lua_State *L, context *ctx, results *r) {
  if (r->sending) {
    r->ended = true;
    return;
  }
  bool first = r->executor != NULL;
  finish(r);
  if (first)
    close_input(L);
  future_safe_point(L, ctx);
}

static int results_gc(lua_State *L) {
  finish(lua_touserdata(L, 1));
  return 0;
}

static int l_results_close(lua_State *L) {
  results *r = results_check(L, 1);
  end(L, context_get(L), r);
  return 0;
}

/* --- calls going out -------------------------------------------------------
 */

/* What send() keeps on its stack. */
enum { SEND_RESULTS = 1, SEND_FUNCTION, SEND_INPUTS, SEND_CALL };

/* Pull the arguments of a call and send it out; false if there are none. */
static bool send_one(lua_State *L, context *ctx, results *r) {
  lua_pushvalue(L, SEND_FUNCTION);
  r->asking = true;
  r->drained = !results_pull(L, r, SEND_INPUTS);
  r->asking = false;
  if (!r->drained && !r->ended) {
    r->carrier->add(L, ctx, r, SEND_CALL, r->input_count + 1);
    r->pulled++;
  }
  lua_settop(L, SEND_INPUTS);
  return !r->drained && !r->ended;
}

/* Whether one more call should go out before a result is read. sent is how
   many have in this step, the first of them at start. */
static bool send_more(results *r, uint64_t sent, fut_deadline start) {
  if (r->options.buffersize > 0)
    return sent < (r->started ? 1 : r->options.buffersize);
  if (!results_lazy(r))
    return true;
  if (r->pulled - r->yielded >= r->carrier->ample(r))
    return false;
  return sent < 2 || !r->carrier->ready(r) || fut_clock_now() - start < PULL_NS;
}

/* Arguments: the results, their address. Send out what is to be; protected. */
static int send(lua_State *L) {
  results *r = lua_touserdata(L, 2);
  context *ctx = context_find(L);
  lua_settop(L, SEND_RESULTS);
  luaL_checkstack(L, r->input_count + 20, "too many inputs");
  lua_getiuservalue(L, SEND_RESULTS, RESULTS_FUNCTION);
  lua_getiuservalue(L, SEND_RESULTS, RESULTS_INPUTS);
  fut_deadline start = fut_clock_now();
  for (uint64_t sent = 0; send_more(r, sent, start); sent++) {
    if (!send_one(L, ctx, r))
      break;
    r->carrier->announce(L, ctx, r, false);
  }
  r->carrier->announce(L, ctx, r, true);
  return 0;
}

/* The error on top of the stack is raised at the line of whoever called us: say
   so in it, if it is one of ours. */
static void add_where(lua_State *L, context *ctx) {
  int err = lua_gettop(L);
  if (fail_class_of(L, ctx, err) < 0)
    return;
  lua_pushliteral(L, "where");
  luaL_where(L, 1);
  if (*lua_tostring(L, -1))
    lua_rawset(L, err);
  lua_settop(L, err);
}

/* Let calls go out for the results at index 1. If an input or the executor
   raises, so does this, and the results have ended. */
static void send_calls(lua_State *L, context *ctx, results *r) {
  if (r->sending)
    luaL_error(L, "an iterator given to map cannot read the results");
  r->sending = true;
  lua_pushcfunction(L, send);
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, r);
  int status = lua_pcall(L, 2, 0, 0);
  bool theirs = r->asking;
  r->sending = r->asking = false;
  if (status == LUA_OK)
    return;
  if (!theirs)
    add_where(L, ctx);
  r->started = true; /* cancel */
  end(L, ctx, r);
  lua_error(L);
}

/* --- results coming in -----------------------------------------------------
 */

/* Whether calls should go out before the next result is read: one each time, or
   some when there is room for as many. */
static bool should_send(const results *r) {
  if (r->drained || r->options.buffersize > 0)
    return !r->drained;
  uint64_t ample = r->carrier->ample(r);
  return r->pulled - r->yielded + ample / 8 <= ample;
}

/* Wait until the next result is there; false at the end, which callbacks that
   run meanwhile may bring about. Raises at the deadline. */
static bool await(lua_State *L, context *ctx, results *r) {
  bool in_time = true;
  while (!r->ended && r->yielded < r->pulled && !r->carrier->ready(r)) {
    if (!in_time) {
      end(L, ctx, r);
      fail_raise(L, ctx, FAIL_TIMEOUT,
                 "the next result of map is not there yet");
    }
    in_time = r->carrier->await(L, ctx, r);
  }
  return !r->ended && r->yielded < r->pulled;
}

/* Push the number of the next call and its values, at index 2 and above, and
   return true, or false at the end. Raises the error of the call. */
static bool step(lua_State *L, context *ctx, results *r) {
  lua_settop(L, 1);
  if (r->ended)
    return false;
  r->started = true;
  bool forked = fut_executor_forked(r->executor); /* nothing more comes */
  bool more = r->yielded < r->pulled;
  if (forked && (more ? !r->carrier->ready(r) : !r->drained))
    fail_raise_err(L, ctx, FUT_ELOST);
  if (!forked && should_send(r))
    send_calls(L, ctx, r);
  if (r->ended || r->yielded == r->pulled) {
    end(L, ctx, r);
    return false;
  }
  if (!await(L, ctx, r)) {
    end(L, ctx, r);
    return false;
  }
  int count;
  fut_state state = r->carrier->read(L, ctx, r, &count);
  r->yielded++;
  future_safe_point(L, ctx);
  if (state == FUT_CANCELLED)
    future_raise_cancelled(L, ctx);
  if (state == FUT_FAILED) {
    lua_settop(L, 3);
    lua_error(L);
  }
  return true;
}

/* results() -> number of the call, values; nil at the end */
static int l_results_step(lua_State *L) {
  context *ctx = context_get(L);
  results *r = results_check(L, 1);
  if (step(L, ctx, r))
    return lua_gettop(L) - 1;
  lua_pushnil(L);
  return 1;
}

/* results:collect() -> array of the first values, with field n */
static int l_results_collect(lua_State *L) {
  enum { results_at = 1, array, next };
  results *r = results_check(L, 1);
  lua_settop(L, 1);
  lua_createtable(L, r->pulled < 1 << 24 ? (int)r->pulled : 0, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, l_results_step, 1);
  for (;;) {
    lua_pushvalue(L, next);
    lua_pushvalue(L, results_at);
    lua_call(L, 1, 2);
    if (lua_isnil(L, -2))
      break;
    lua_rawseti(L, array, lua_tointeger(L, -2));
    lua_pop(L, 1);
  }
  lua_pushinteger(L, (lua_Integer)r->yielded);
  lua_setfield(L, array, "n");
  lua_settop(L, array);
  return 1;
}

static int l_results_tostring(lua_State *L) {
  const results *r = results_check(L, 1);
  lua_pushfstring(L, "<Results at %p read=%I>", (const void *)r,
                  (LUAI_UACINT)r->yielded);
  return 1;
}

/* --- map --------------------------------------------------------------------
 */

static fut_deadline deadline(const call_options *options) {
  return options->timeout < HUGE_VAL ? fut_deadline_after(options->timeout)
                                     : FUT_NEVER;
}

int l_executor_map(lua_State *L) {
  context *ctx = context_get(L);
  executor_box *box = executor_check(L, 1);
  executor_function(L, 2);
  int count;
  bool closing = results_check_inputs(L, 3, &count);
  results *r = lua_newuserdatauv(
      L, sizeof *r + (size_t)count * sizeof r->inputs[0], RESULTS_VALUES);
  int at = lua_gettop(L);
  *r = (results){.magic = &results_magic,
                 .carrier =
                     box->executor->shares ? &carrier_loans : &carrier_tasks,
                 .executor = box->executor,
                 .options = *view_options(L, 1),
                 .input_count = count,
                 .drained = count == 0};
  r->options.name = NULL; /* the view's */
  r->deadline = deadline(&r->options);
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->results);
  lua_setmetatable(L, at);
  context_keep_new(L, ctx);
  if (closing) {
    lua_pushvalue(L, at - 1);
    lua_setiuservalue(L, at, RESULTS_CLOSING);
  }
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, at, RESULTS_EXECUTOR);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, at, RESULTS_FUNCTION);
  results_set_inputs(L, r, at, 3);
  lua_settop(L, at);
  lua_replace(L, 1);
  lua_settop(L, 1);
  if (!r->drained)
    send_calls(L, ctx, r);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 1); /* closed by the end of the loop */
  return 4;
}

static const luaL_Reg methods[] = {
    {"close", l_results_close}, {"collect", l_results_collect}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__call", l_results_step},
                                       {"__close", l_results_close},
                                       {"__gc", results_gc},
                                       {"__tostring", l_results_tostring},
                                       {NULL, NULL}};

void lresults_open(lua_State *L, context *ctx) {
  int upvalue = lua_gettop(L);
  lua_createtable(L, 0, 6);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, metamethods, 1);
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, methods, 1);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "Results");
  lua_setfield(L, -2, "__name");
  ctx->results = luaL_ref(L, LUA_REGISTRYINDEX);
}
