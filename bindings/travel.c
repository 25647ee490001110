/* travel.c - executors and futures in messages between states of a process

   What a message holds is the counted object itself: the future of a task, or
   the hand of one that is completed by hand (promise.c), or the handle of an
   executor. So what is under way keeps a promise from being cancelled and an
   executor open, as a userdata does. */
#include "travel.h"

#include "job.h"
#include "lexecutor.h"
#include "lfuture.h"
#include "promise.h"
#include "serial.h"

void travel_remember(lua_State *L, context *ctx, int index,
                     const void *address) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, 4, "values to send");
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->travelled);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, address);
  lua_pop(L, 1);
}

/* Push what stands for the object at address; false, and nothing pushed, if
   there is none yet. */
static bool recall(lua_State *L, context *ctx, const void *address) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, ctx->travelled);
  bool found = lua_rawgetp(L, -1, address) == LUA_TUSERDATA;
  lua_remove(L, found ? -2 : -1);
  if (!found)
    lua_pop(L, 1);
  return found;
}

fut_object *travel_object(lua_State *L, int index) {
  context *ctx = context_find(L);
  if (ctx == NULL)
    return NULL;
  future_box *box = future_test(L, index);
  if (box && box->future) {
    travel_remember(L, ctx, index, box->future);
    return future_is_job(box->future) ? &box->future->object
                                      : promise_share(L, index, box);
  }
  fut_executor *executor = executor_test(L, index);
  if (executor == NULL || fut_serial_is(executor)) /* which stays where it is */
    return NULL;
  travel_remember(L, ctx, index, executor);
  return executor_handle(ctx, executor);
}

/* Open the module in a state that has never heard of it. */
static context *open_module(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, LUA_GNAME);
  lua_getfield(L, -1, "require");
  lua_pushliteral(L, "futures");
  lua_call(L, 1, 0);
  lua_pop(L, 2);
  context *ctx = context_find(L);
  if (ctx == NULL)
    luaL_error(L, "the Lua state is closing");
  return ctx;
}

static void push_executor(lua_State *L, context *ctx, fut_executor *executor) {
  if (recall(L, ctx, executor))
    return;
  executor_push(L, ctx, executor);
  travel_remember(L, ctx, -1, executor);
}

/* Push the userdata of a future; hand is NULL if it cannot be completed by
   hand, or not by who sent it. */
static void push_future(lua_State *L, context *ctx, fut_future *future,
                        fut_object *hand) {
  if (!recall(L, ctx, future)) {
    future_box *box = future_push(L, ctx);
    fut_object_hold(&future->object);
    box->future = future;
    travel_remember(L, ctx, -1, future);
  }
  future_box *box = lua_touserdata(L, -1);
  if (hand && box->hand == NULL) {
    fut_object_hold(hand);
    box->hand = hand;
  }
}

void travel_push(lua_State *L, fut_object *object) {
  luaL_checkstack(L, 8, "values to receive");
  context *ctx = context_find(L);
  if (ctx == NULL)
    ctx = open_module(L);
  fut_executor *executor = fut_handle_executor(object);
  fut_future *promise = promise_of_hand(object);
  if (executor)
    push_executor(L, ctx, executor);
  else if (promise)
    push_future(L, ctx, promise, object);
  else
    push_future(L, ctx, (fut_future *)object, NULL);
}
