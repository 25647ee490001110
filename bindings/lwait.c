/* lwait.c - wait, as_completed and poll as Lua sees them */
#include "lwait.h"

#include "arg.h"
#include "callbacks.h"
#include "fail.h"
#include "interrupt.h"
#include "lfuture.h"
#include "nest.h"

#include <limits.h>
#include <string.h>

/* Distinct futures that somebody waits for. A userdata whose user value is the
   array of them; they live as long as it does, or until they are yielded. */
typedef struct wait_set {
  fut_completions queue; /* while open */
  bool open;
  bool lost;              /* while open: some were lost by a fork */
  unsigned generation;    /* ... as seen in this fork generation */
  size_t count;           /* of items */
  size_t left;            /* of items not yielded (as_completed) */
  fut_deadline deadline;  /* (as_completed) */
  fut_completion items[]; /* future is set in all, queue in those added */
} wait_set;

/* Stop watching. */
static void set_close(wait_set *set) {
  if (!set->open)
    return;
  fut_completion *item;
  while ((item = fut_completions_take(&set->queue)) != NULL)
    item->queue = NULL;
  for (size_t i = 0; i < set->count; i++)
    if (set->items[i].queue)
      fut_completions_remove(&set->items[i]);
  fut_completions_fini(&set->queue);
  set->open = false;
}

static int set_gc(lua_State *L) {
  set_close(lua_touserdata(L, 1));
  return 0;
}

/* Push a set of the futures in the table that the argument is, and its list.
   The second upvalue of the running function is the sets' metatable. */
static wait_set *set_push(lua_State *L, context *ctx, int arg) {
  size_t length = (size_t)lua_rawlen(L, arg);
  wait_set *set =
      lua_newuserdatauv(L, sizeof *set + length * sizeof set->items[0], 1);
  set->open = false;
  set->count = 0;
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_setmetatable(L, -2);
  context_keep_new(L, ctx);
  lua_createtable(L, length < INT_MAX ? (int)length : 0, 0); /* list */
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, -3, 1);
  lua_newtable(L); /* seen */
  for (size_t i = 1; i <= length; i++) {
    lua_rawgeti(L, arg, (lua_Integer)i);
    future_box *box = future_test(L, -1);
    if (box == NULL || box->future == NULL)
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "Future expected at index %I, got %s",
                                    (LUAI_UACINT)i, luaL_typename(L, -1)));
    if (lua_rawgetp(L, -2, box->future) == LUA_TNIL) {
      lua_pushboolean(L, true);
      lua_rawsetp(L, -4, box->future);
      lua_pop(L, 1);
      set->items[set->count].future = box->future;
      set->items[set->count].queue = NULL;
      lua_rawseti(L, -3, (lua_Integer)++set->count); /* into list */
    } else
      lua_pop(L, 2);
  }
  lua_pop(L, 1); /* seen */
  return set;
}

/* Begin to watch those of the set that have not ended, or all of them. Return
   how many these are. */
static size_t set_open(context *ctx, wait_set *set, bool all) {
  size_t watched = 0;
  fut_completions_init(&set->queue, ctx->waiter);
  set->open = true;
  set->lost = false;
  set->generation = fut_thread_generation();
  for (size_t i = 0; i < set->count; i++) {
    fut_future *future = set->items[i].future;
    set->lost |= fut_future_lost(future);
    if (!all && fut_state_done(fut_future_state(future)))
      continue;
    fut_completions_add(&set->queue, &set->items[i], future);
    watched++;
  }
  return watched;
}

/* Raise if the set waits for what will never end in this process. */
static void check_lost(lua_State *L, context *ctx, wait_set *set) {
  if (set->generation != fut_thread_generation()) {
    set->generation = fut_thread_generation();
    for (size_t i = 0; i < set->count; i++)
      if (set->items[i].queue)
        set->lost |= fut_future_lost(set->items[i].future);
  }
  if (set->lost)
    fail_raise_err(L, ctx, FUT_ELOST);
}

/* Run those of the set that this task may run itself: it needs them all. */
static void set_nest(lua_State *L, context *ctx, const wait_set *set) {
  interrupt_check(L, ctx);
  callbacks_go_on(L, ctx);
  for (size_t i = 0; i < set->count; i++)
    nest_run(L, ctx, set->items[i].future);
}

/* Wait until the set's queue is satisfied: false at the deadline. */
static bool set_wait(lua_State *L, context *ctx, wait_set *set,
                     fut_deadline deadline) {
  if (deadline != FUT_POLL)
    check_lost(L, ctx, set);
  interrupt_check(L, ctx);
  callbacks_go_on(L, ctx);
  for (;;) {
    fut_wait wait = context_wait(ctx, deadline);
    fut_err err = fut_wait_completions(&wait, &set->queue);
    switch (err) {
    case FUT_OK:
      return true;
    case FUT_EAGAIN:
      callbacks_run(L, ctx);
      break;
    case FUT_EINTR:
      interrupt_deliver(L, ctx);
      break;
    case FUT_ETIMEDOUT:
      return false;
    default:
      fail_raise_err(L, ctx, err);
    }
  }
}

/* --- wait --------------------------------------------------------------------
 */

enum until { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION };

static const char *const until_names[] = {"ALL_COMPLETED", "FIRST_COMPLETED",
                                          "FIRST_EXCEPTION", NULL};

/* Return what the value on top of the stack means, which is popped. */
static enum until check_until(lua_State *L, int arg) {
  const char *name =
      lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  int until = 0;
  if (!lua_isnil(L, -1)) {
    while (until_names[until] &&
           !(name && strcmp(name, until_names[until]) == 0))
      until++;
    if (until_names[until] == NULL)
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "invalid return condition '%s'",
                                    luaL_tolstring(L, -1, NULL)));
  }
  lua_pop(L, 1);
  return (enum until)until;
}

/* Read the options in the table that the second argument is. */
static enum until check_options(lua_State *L, fut_deadline *deadline) {
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    const char *key =
        lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    if (key == NULL ||
        (strcmp(key, "timeout") != 0 && strcmp(key, "return_when") != 0))
      luaL_argerror(L, 2,
                    lua_pushfstring(L, "unknown option '%s'",
                                    luaL_tolstring(L, -2, NULL)));
    lua_pop(L, 1);
  }
  lua_getfield(L, 2, "timeout");
  *deadline = arg_deadline_option(L, 2, "timeout");
  lua_getfield(L, 2, "return_when");
  return check_until(L, 2);
}

/* Whether the set is already what was asked for. */
static bool satisfied(const wait_set *set, enum until until) {
  size_t done = 0, failed = 0;
  for (size_t i = 0; i < set->count; i++) {
    fut_state state = fut_future_state(set->items[i].future);
    done += fut_state_done(state);
    failed += state == FUT_FAILED;
  }
  return done == set->count || (until == FIRST_COMPLETED && done > 0) ||
         (until == FIRST_EXCEPTION && failed > 0);
}

static int l_wait(lua_State *L) {
  context *ctx = context_get(L);
  fut_deadline deadline;
  enum until until;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 3);
  if (lua_istable(L, 2))
    until = check_options(L, &deadline);
  else {
    deadline = arg_deadline(L, 2);
    until = check_until(L, 3);
  }
  lua_settop(L, 1);
  wait_set *set = set_push(L, ctx, 1); /* futures, set, list */
  if (ctx->runner && until == ALL_COMPLETED && deadline == FUT_NEVER)
    set_nest(L, ctx, set);
  if (!satisfied(set, until)) {
    size_t watched = set_open(ctx, set, false);
    fut_completions_want(&set->queue, until == FIRST_COMPLETED ? 1 : watched,
                         until == FIRST_EXCEPTION);
    if (!satisfied(set, until)) /* by those that ended before being watched */
      set_wait(L, ctx, set, deadline);
    set_close(set);
  }
  lua_newtable(L); /* done */
  lua_newtable(L); /* not done */
  lua_Integer count[2] = {0, 0};
  for (size_t i = 0; i < set->count; i++) {
    bool done = fut_state_done(fut_future_state(set->items[i].future));
    if (done)
      fut_future_settle(set->items[i].future);
    lua_rawgeti(L, 3, (lua_Integer)i + 1);
    lua_rawseti(L, done ? 4 : 5, ++count[done]);
  }
  callbacks_run(L, ctx);
  return 2;
}

/* --- as_completed
 * -------------------------------------------------------------- */

/* The iterator; the third upvalue is the set. */
static int l_as_completed_next(lua_State *L) {
  context *ctx = context_get(L);
  wait_set *set = lua_touserdata(L, lua_upvalueindex(3));
  if (set->left == 0 || !set->open) {
    set_close(set);
    lua_pushnil(L);
    return 1;
  }
  fut_completion *item;
  while ((item = fut_completions_take(&set->queue)) == NULL)
    if (!set_wait(L, ctx, set, set->deadline))
      fail_raise(L, ctx, FAIL_TIMEOUT, "%d (of %d) futures unfinished",
                 (int)set->left, (int)set->count);
  item->queue = NULL;
  set->left--;
  lua_Integer index = item - set->items + 1;
  lua_getiuservalue(L, lua_upvalueindex(3), 1); /* list */
  lua_rawgeti(L, -1, index);
  lua_pushnil(L);
  lua_rawseti(L, -3, index);
  future_settle(L, ctx, item->future);
  return 1;
}

static int l_as_completed(lua_State *L) {
  context *ctx = context_get(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  fut_deadline deadline = arg_deadline(L, 2);
  lua_settop(L, 1);
  wait_set *set = set_push(L, ctx, 1);
  lua_pop(L, 1); /* list */
  set->deadline = deadline;
  set->left = set->count;
  set_open(ctx, set, true);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, l_as_completed_next, 3);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 2); /* closed by the end of the loop */
  return 4;
}

/* --- poll
 * ------------------------------------------------------------------------ */

static int l_poll(lua_State *L) {
  context *ctx = context_get(L);
  fut_deadline deadline = lua_isnoneornil(L, 1) ? FUT_POLL : arg_deadline(L, 1);
  interrupt_check(L, ctx);
  int count = callbacks_run(L, ctx);
  while (count == 0 && !ctx->in_callback) {
    fut_wait wait = context_wait(ctx, deadline);
    fut_err err = fut_wait_callbacks(&wait);
    if (err == FUT_ETIMEDOUT)
      break;
    if (err == FUT_EINTR)
      interrupt_deliver(L, ctx);
    else if (err != FUT_EAGAIN)
      fail_raise_err(L, ctx, err);
    count = callbacks_run(L, ctx);
  }
  lua_pushinteger(L, count);
  return 1;
}

static const luaL_Reg functions[] = {{"wait", l_wait},
                                     {"as_completed", l_as_completed},
                                     {"poll", l_poll},
                                     {NULL, NULL}};

void lwait_open(lua_State *L) {
  int upvalue = lua_gettop(L), module = upvalue - 1;
  lua_pushvalue(L, module);
  lua_pushvalue(L, upvalue);
  lua_createtable(L, 0, 3); /* metatable of sets */
  lua_pushcfunction(L, set_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, set_gc);
  lua_setfield(L, -2, "__close");
  luaL_setfuncs(L, functions, 2);
  for (int i = 0; until_names[i]; i++) {
    lua_pushstring(L, until_names[i]);
    lua_setfield(L, -2, until_names[i]);
  }
  lua_pop(L, 1);
}
