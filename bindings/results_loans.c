/* results_loans.c - calls of a map that workers borrow by the dozen */
#include "results.h"

#include "callbacks.h"
#include "fail.h"
#include "interrupt.h"
#include "lsubmit.h"
#include "outcome.h"

enum {
  NAP_NS = 50000,
  NAP_ITEMS = 64 /* fewer under way end soon anyway */
};

/* Whether the values from index first on share nothing with any other. */
static bool plain(lua_State *L, int first, int count) {
  for (int i = first; i < first + count; i++) {
    int type = lua_type(L, i);
    if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TBOOLEAN &&
        type != LUA_TNIL)
      return false;
  }
  return true;
}

static void open_map(lua_State *L, context *ctx, results *r, int function) {
  wire_message *message = executor_message(L, ctx, r->executor);
  wire_encode(L, ctx->wire, function, 1, executor_mode(r->executor), "argument",
              message);
  map_options options = {.chunksize = r->options.chunksize,
                         .priority = r->options.priority,
                         .ordered = r->options.ordered};
  r->map = map_new(r->executor, message, &options);
  if (r->map == NULL)
    fail_no_memory(L);
}

static void add(lua_State *L, context *ctx, results *r, int first, int count) {
  if (r->map == NULL)
    open_map(L, ctx, r, first);
  bool whole = !plain(L, first + 1, count - 1);
  wire_message *message = executor_message(L, ctx, r->executor);
  wire_encode(L, ctx->wire, whole ? first : first + 1,
              whole ? count : count - 1, executor_mode(r->executor), "argument",
              message);
  if (!map_append(r->map, message, whole))
    fail_no_memory(L);
}

static void announce(lua_State *L, context *ctx, results *r, bool due) {
  if (r->map == NULL || (!due && !map_announcement_due(r->map)))
    return;
  fut_err err = map_announce(r->map);
  if (err != FUT_OK)
    executor_raise(L, ctx, r->executor, err);
}

static uint64_t ample(const results *r) {
  return r->map ? map_ample(r->map) : 2 * (uint64_t)r->executor->max_workers;
}

static bool ready(results *r) {
  map_position next;
  return r->map && map_next(r->map, &next);
}

/* Sleep for a moment, or until callbacks are due. */
static void nap(lua_State *L, context *ctx, const results *r) {
  fut_deadline soon = fut_clock_now() + NAP_NS;
  fut_wait wait = context_wait(ctx, soon < r->deadline ? soon : r->deadline);
  fut_err err = fut_wait_callbacks(&wait);
  if (err == FUT_EAGAIN)
    callbacks_run(L, ctx);
  else if (err == FUT_EINTR)
    interrupt_deliver(L, ctx);
}

/* Where items are brief, a wake-up for each would cost more than they do: the
   workers are left alone for a moment, in which many end. */
static bool await(lua_State *L, context *ctx, results *r) {
  if (map_brisk(r->map) && r->pulled - r->yielded >= NAP_ITEMS &&
      r->deadline != FUT_POLL) {
    interrupt_check(L, ctx);
    callbacks_go_on(L, ctx);
    nap(L, ctx, r);
    if (r->ended || ready(r))
      return true;
  }
  future_box *box = future_push(L, ctx); /* lets go, whatever is raised */
  box->future = map_arrival(r->map, ctx->arena);
  if (box->future == NULL)
    fail_no_memory(L);
  bool in_time = future_wait_until(L, ctx, box->future, r->deadline);
  lua_pop(L, 1);
  return in_time;
}

static fut_state read(lua_State *L, context *ctx, results *r, int *count) {
  map_position next;
  map_next(r->map, &next);
  const map_item *item = &next.segment->items[next.place];
  fut_state state = map_item_state(item);
  lua_pushinteger(L, (lua_Integer)(next.segment->first + next.place) + 1);
  *count = 0;
  if (state != FUT_CANCELLED) {
    job_content outcome = content_message(&item->content);
    *count =
        outcome_decode(L, ctx, &outcome, executor_mode(r->executor), state);
  }
  map_yield(r->map, next);
  return state;
}

static void cancel(results *r) {
  if (r->map)
    map_cancel(r->map);
}

static void close(results *r) {
  if (r->map)
    fut_object_release(map_object(r->map));
  r->map = NULL;
}

const carrier carrier_loans = {add,   announce, ample,  ready,
                               await, read,     cancel, close};
