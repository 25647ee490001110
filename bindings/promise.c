/* promise.c - futures that Lua code completes by hand

   Whoever can complete one holds its hand: each userdata for it, in any state,
   and each message under way. When the last of them goes, the future becomes
   cancelled. All hands together hold one reference to it.

   The outcome is kept as Lua values in the extras of the userdata through which
   it was set. Once the future has been sent it is also bytes, for the other
   states. Of all who want to complete a shared one, one claims it, writes the
   bytes and ends it; there is nothing in between that takes long. */
#include "promise.h"

#include "callbacks.h"
#include "circle.h"
#include "fail.h"
#include "outcome.h"
#include "thread.h"

#include <assert.h>
#include <stddef.h>

struct promise {
  fut_future future;
  fut_object hand;      /* counted: see above */
  atomic_bool claimed;  /* atomic: somebody is completing it; if shared */
  bool shared;          /* set before it is first sent */
  bool holds;           /* guarded by the lock of circles: the outcome is
                           written, and holds futures */
  wire_message outcome; /* written by whoever claimed it, or before it was
                           first sent; read only once it has ended */
};

static_assert(sizeof(struct promise) <= JOB_SIZE, "fits into a block");

static void promise_fini(fut_future *future) {
  wire_message_fini(&((struct promise *)future)->outcome);
}

static const fut_future_kind promise_kind = {
    .object = {"future", fut_future_free}, .fini = promise_fini};

static struct promise *of_hand(fut_object *hand) {
  return (struct promise *)(void *)((char *)hand -
                                    offsetof(struct promise, hand));
}

/* Nobody can complete it any more. */
static void hand_free(fut_object *hand) {
  struct promise *promise = of_hand(hand);
  fut_future_end(&promise->future, FUT_CANCELLED);
  fut_future_release(&promise->future, NULL);
}

static const fut_object_kind hand_kind = {"hand", hand_free};

int l_future_new(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_push(L, ctx);
  struct promise *promise = fut_arena_take(ctx->arena);
  if (promise == NULL)
    fail_no_memory(L);
  fut_future_init(&promise->future, &promise_kind, ctx->arena);
  /* a child can complete it, too */
  promise->future.generation = FUT_ANY_GENERATION;
  fut_object_init(&promise->hand, &hand_kind);
  fut_object_hold(&promise->future.object); /* the hands' */
  atomic_init(&promise->claimed, false);
  promise->shared = false;
  promise->holds = false;
  wire_message_init(&promise->outcome);
  box->future = &promise->future;
  box->hand = &promise->hand;
  return 1;
}

/* Raise that the state of the future at index 1 does not allow what was
   asked. */
static _Noreturn void raise_state(lua_State *L, context *ctx,
                                  const fut_future *future) {
  static const char *const names[] = {"PENDING", "RUNNING", "CANCELLED",
                                      "FINISHED", "FINISHED"};
  const char *name = names[fut_future_state(future)];
  const char *text = luaL_tolstring(L, 1, NULL);
  if (future_is_job(future) && !fut_state_done(fut_future_state(future)))
    fail_raise(L, ctx, FAIL_INVALID_STATE,
               "%s: %s is completed by its executor", name, text);
  fail_raise(L, ctx, FAIL_INVALID_STATE, "%s: %s", name, text);
}

/* Encode an outcome: the count values from index first, or error and traceback
   (a string or nil) there.
   Returns a message of the context; may push values. */
static wire_message *encode(lua_State *L, context *ctx, fut_state state,
                            int first, int count) {
  wire_message *message = context_message(L, ctx);
  int class = state == FUT_FAILED ? fail_class_of(L, ctx, first) : -1;
  bool traced = state == FUT_FAILED && lua_isstring(L, first + 1);
  if (class >= 0 || traced) { /* as in failure.h: class, error, traceback */
    lua_pushinteger(L, class);
    lua_pushvalue(L, first);
    if (class >= 0) {
      lua_pushliteral(L, "message");
      lua_rawget(L, -2);
      luaL_tolstring(L, -1, NULL);
      lua_replace(L, -3);
      lua_pop(L, 1);
    }
    lua_pushvalue(L, first + 1);
    first = lua_gettop(L) - 2;
    count = 3;
  } else if (state == FUT_FAILED)
    count = 1;
  wire_encode(L, ctx->wire, first, count, WIRE_THREAD,
              state == FUT_FAILED ? "error" : "result", message);
  return message;
}

/* Be the one who completes a shared promise; else wait for the one who is. */
static bool claim(struct promise *promise) {
  if (!atomic_exchange(&promise->claimed, true))
    return true;
  while (!fut_state_done(fut_future_state(&promise->future)))
    fut_thread_relax();
  return false;
}

/* Put the message into the promise, if that can be claimed or needs not be:
   whether it could. Raises if the promise would hold itself. */
static bool fill(lua_State *L, context *ctx, struct promise *promise,
                 wire_message *message, bool claimed) {
  bool holds = circle_possible(message);
  if (holds)
    circle_enter();
  bool closes = holds && circle_closes(&promise->future, message);
  bool mine = !closes && (claimed || claim(promise));
  if (mine) { /* it was empty */
    promise->outcome = *message;
    wire_message_init(message);
    if (holds)
      promise->holds = true;
  }
  if (holds)
    circle_leave();
  if (closes) {
    wire_message_clear(message);
    fail_raise(L, ctx, FAIL_SERIALIZATION,
               "cannot send a future that is part of its own result");
  }
  return mine;
}

/* End the future at index 1 with the values from index 2 on. */
static int complete(lua_State *L, fut_state state) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  int count = lua_gettop(L) - 1;
  if (future_is_job(box->future) ||
      fut_state_done(fut_future_state(box->future)))
    raise_state(L, ctx, box->future);
  struct promise *promise = (struct promise *)box->future;
  outcome_pack(L, 2);
  int packed = lua_gettop(L);
  if (promise->shared) {
    wire_message *message = encode(L, ctx, state, 2, count);
    if (fut_state_done(fut_future_state(box->future)) ||
        !fill(L, ctx, promise, message, false))
      raise_state(L, ctx, box->future);
    lua_settop(L, packed);
  }
  callbacks_expect(L, ctx, box);
  if (!fut_future_end(box->future, state)) /* by a finalizer, or cancelled */
    raise_state(L, ctx, box->future);
  outcome_set(L);
  future_settle(L, ctx, box->future);
  return 0;
}

int l_future_set_result(lua_State *L) { return complete(L, FUT_FINISHED); }

int l_future_set_exception(lua_State *L) {
  luaL_checkany(L, 2);
  luaL_optstring(L, 3, NULL); /* traceback */
  lua_settop(L, 3);
  return complete(L, FUT_FAILED);
}

int l_future_set_running_or_notify_cancel(lua_State *L) {
  context *ctx = context_get(L);
  future_box *box = future_check(L, 1);
  fut_state state = fut_future_state(box->future);
  bool started = !future_is_job(box->future) && fut_future_start(box->future);
  if (!started && (state != FUT_CANCELLED || future_is_job(box->future)))
    raise_state(L, ctx, box->future);
  future_settle(L, ctx, box->future);
  lua_pushboolean(L, started);
  return 1;
}

/* Argument: a promise that has ended here. Make bytes of what it came to. */
static int encode_ended(lua_State *L) {
  context *ctx = context_find(L);
  future_box *box = lua_touserdata(L, 1);
  fut_state state = fut_future_state(box->future);
  lua_settop(L, 1);
  struct promise *promise = (struct promise *)box->future;
  int count = outcome_push(L, ctx, box->future, state);
  fill(L, ctx, promise, encode(L, ctx, state, 2, count), true);
  return 0;
}

fut_object *promise_share(lua_State *L, int index, const future_box *box) {
  struct promise *promise = (struct promise *)box->future;
  if (!promise->shared) { /* only this state knows it */
    promise->shared = true;
    fut_state state = fut_future_state(&promise->future);
    if (state == FUT_FINISHED || state == FUT_FAILED) {
      lua_pushvalue(L, index);
      lua_pushcfunction(L, encode_ended);
      lua_insert(L, -2);
      if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        promise->shared = false;
        lua_error(L);
      }
    }
  }
  return box->hand ? box->hand : &promise->future.object;
}

fut_future *promise_of_hand(fut_object *object) {
  return object->kind == &hand_kind ? &of_hand(object)->future : NULL;
}

const fut_future *promise_of(const fut_object *object) {
  if (object->kind == &promise_kind.object)
    return (const fut_future *)object;
  if (object->kind != &hand_kind)
    return NULL;
  return &of_hand((fut_object *)(uintptr_t)object)->future;
}

circle_links promise_links(const fut_future *future) {
  const struct promise *promise = (const struct promise *)future;
  if (!promise->holds)
    return (circle_links){NULL, 0};
  return (circle_links){promise->outcome.objects,
                        promise->outcome.object_count};
}

job_content promise_outcome(const fut_future *future) {
  const wire_message *outcome = &((const struct promise *)future)->outcome;
  return (job_content){outcome->bytes, outcome->size, outcome->objects,
                       outcome->object_count};
}
