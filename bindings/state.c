/* state.c - a worker's lua_State: made, used and closed on that worker

   Its stack holds two values for good: the message handler and the function
   that makes a call, which run under lua_pcall for each task.

   The outcome of a call that failed is class, error, traceback: class is -1
   and the error a value of any kind, or class is that of an error of ours and
   the error its message. One value alone is an error without traceback. */
#include "state.h"

#include "fail.h"
#include "memory.h"

#include <lualib.h>
#include <string.h>

struct environment {
  fut_object object;
  const char *path, *cpath; /* set once; lie in text */
  enum wire_mode mode;      /* set once */
  char text[];
};

enum phase { RECEIVING, RUNNING, SENDING };

struct fut_worker_local {
  lua_State *L;
  wire_state *wire;
  enum wire_mode mode; /* of calls and outcomes */
  wire_message outcome;
  const job_content *call; /* of the task that runs */
  wire_lease lease;        /* of its function */
  enum phase phase;
};

enum { HANDLER = 1, CALLER = 2 }; /* the values at the bottom of the stack */

static void environment_free(fut_object *object) { fut_memory_free(object); }

static const fut_object_kind environment_kind = {"environment",
                                                 environment_free};

fut_object *state_environment_new(const char *path, const char *cpath,
                                  enum wire_mode mode) {
  size_t path_size = strlen(path) + 1, cpath_size = strlen(cpath) + 1;
  struct environment *environment =
      fut_memory_new(sizeof *environment + path_size + cpath_size);
  if (environment == NULL)
    return NULL;
  fut_object_init(&environment->object, &environment_kind);
  environment->mode = mode;
  environment->path = memcpy(environment->text, path, path_size);
  environment->cpath = memcpy(environment->text + path_size, cpath, cpath_size);
  return &environment->object;
}

/* What cannot be sent is raised as a table, so that it is told from errors of
   memory, which are strings. */
static void refuse(lua_State *L, const char *message) {
  lua_createtable(L, 1, 0);
  lua_pushstring(L, message);
  lua_rawseti(L, -2, 1);
  lua_error(L);
}

static const wire_hooks hooks = {.refuse = refuse};

/* Add the traceback to an error of the task: it becomes a table of both. */
static int handle(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, lua_upvalueindex(1));
  if (local->phase != RUNNING)
    return 1;
  if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "<no error object>");
    lua_replace(L, 1);
  }
  const char *message = lua_type(L, 1) == LUA_TSTRING
                            ? lua_tostring(L, 1)
                            : lua_pushfstring(L, "(error object is a %s value)",
                                              luaL_typename(L, 1));
  luaL_traceback(L, L, message, 1);
  /* leave out the last line, which is our caller */
  const char *text = lua_tostring(L, -1);
  const char *last = strrchr(text, '\n');
  if (last && strncmp(last, "\n\t[C]: ", 7) == 0)
    lua_pushlstring(L, text, (size_t)(last - text));
  int traceback = lua_gettop(L);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, traceback);
  lua_rawseti(L, -2, 2);
  return 1;
}

static int call(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, lua_upvalueindex(1));
  const job_content *content = local->call;
  int count = wire_decode_task(L, local->wire, local->mode, content->bytes,
                               content->size, content->objects,
                               content->object_count, &local->lease);
  local->phase = RUNNING;
  lua_call(L, count - 1, LUA_MULTRET);
  local->phase = SENDING;
  wire_encode(L, local->wire, 1, lua_gettop(L), local->mode, "result",
              &local->outcome);
  return 0;
}

static int setup(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, 1);
  const struct environment *environment = lua_touserdata(L, 2);
  local->mode = environment->mode;
  luaL_openlibs(L);
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_pushstring(L, environment->path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, environment->cpath);
  lua_setfield(L, -2, "cpath");
  local->wire = wire_state_push(L);
  wire_state_set_hooks(local->wire, &hooks);
  luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, handle, 1);
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, call, 1);
  return 2;
}

static fut_err state_open(fut_object *object, fut_worker_local **opened) {
  fut_worker_local *local = fut_memory_new(sizeof *local);
  if (local == NULL)
    return FUT_ENOMEM;
  wire_message_init(&local->outcome);
  local->phase = RECEIVING;
  local->L = luaL_newstate();
  if (local->L) {
    lua_pushcfunction(local->L, setup);
    lua_pushlightuserdata(local->L, local);
    lua_pushlightuserdata(local->L, object);
    if (lua_pcall(local->L, 2, 2, 0) == LUA_OK) {
      *opened = local;
      return FUT_OK;
    }
    lua_close(local->L);
  }
  fut_memory_free(local);
  return FUT_ENOMEM;
}

static void state_close(fut_worker_local *local) {
  lua_close(local->L);
  wire_message_fini(&local->outcome);
  fut_memory_free(local);
}

const fut_worker_ops state_ops = {.open = state_open, .close = state_close};

/* Arguments: class, error, traceback. Encode them; protected. */
static int send_error(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, lua_upvalueindex(1));
  wire_encode(L, local->wire, 1, 3, local->mode, "error", &local->outcome);
  return 0;
}

/* Arguments: error, traceback. Return class, error, traceback: an instance of
   our classes becomes its class and message. */
static int classify(lua_State *L) {
  context *ctx = context_find(L);
  int class = ctx ? fail_class_of(L, ctx, 1) : -1;
  lua_pushinteger(L, class);
  if (class < 0)
    lua_pushvalue(L, 1);
  else {
    lua_pushliteral(L, "message");
    lua_rawget(L, 1);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
  }
  lua_pushvalue(L, 2);
  return 3;
}

/* Arguments: error, traceback, why it cannot be sent. Return what is sent in
   its place. */
static int describe(lua_State *L) {
  const char *text = luaL_tolstring(L, 1, NULL);
  lua_pushinteger(L, FAIL_SERIALIZATION);
  lua_pushfstring(L, "%s: %s", lua_tostring(L, 3), text);
  lua_pushvalue(L, 2);
  return 3;
}

/* Send the three values on top of the stack; false with the reason. */
static bool sent(lua_State *L, fut_worker_local *local) {
  lua_pushlightuserdata(L, local);
  lua_pushcclosure(L, send_error, 1);
  lua_insert(L, -4);
  return lua_pcall(L, 3, 0, 0) == LUA_OK;
}

/* The call raised what is on top of the stack: encode that. Protected. */
static int encode_failure(lua_State *L) {
  fut_worker_local *local = lua_touserdata(L, 2);
  if (local->phase != RUNNING || !lua_istable(L, 1)) {
    /* not the task's error: what could not be sent, or no memory */
    bool refused = lua_istable(L, 1);
    lua_pushinteger(L, refused ? FAIL_SERIALIZATION : -1);
    if (refused)
      lua_rawgeti(L, 1, 1);
    else
      lua_pushvalue(L, 1);
    lua_pushnil(L);
    if (!sent(L, local))
      lua_error(L);
    return 0;
  }
  lua_pushcfunction(L, classify);
  lua_rawgeti(L, 1, 1);
  lua_rawgeti(L, 1, 2);
  lua_call(L, 2, 3);
  if (sent(L, local))
    return 0;
  if (!lua_istable(L, -1)) /* no memory */
    lua_error(L);
  int reason = lua_gettop(L);
  lua_rawgeti(L, reason, 1); /* it was the second value that we sent */
  luaL_gsub(L, lua_tostring(L, -1), "cannot send error 2", "cannot send error");
  lua_rawseti(L, reason, 1);
  lua_pushcfunction(L, describe);
  lua_rawgeti(L, 1, 1);
  lua_rawgeti(L, 1, 2);
  lua_rawgeti(L, reason, 1);
  if (lua_pcall(L, 3, 3, 0) != LUA_OK) { /* its __tostring raised */
    lua_pop(L, 1);
    lua_pushinteger(L, FAIL_SERIALIZATION);
    lua_rawgeti(L, reason, 1);
    lua_rawgeti(L, 1, 2);
  }
  if (!sent(L, local))
    lua_error(L);
  return 0;
}

wire_message *state_run(fut_worker_local *local, const job_content *content,
                        fut_state *state) {
  lua_State *L = local->L;
  local->call = content;
  local->phase = RECEIVING;
  local->lease = (wire_lease){NULL};
  lua_pushvalue(L, CALLER);
  int status = lua_pcall(L, 0, 0, HANDLER);
  wire_lease_end(&local->lease);
  if (status == LUA_OK) {
    *state = FUT_FINISHED;
    return &local->outcome;
  }
  *state = FUT_FAILED;
  lua_pushcfunction(L, encode_failure);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, local);
  bool fine = lua_pcall(L, 2, 0, 0) == LUA_OK;
  lua_settop(L, CALLER);
  if (!fine)
    lua_gc(L, LUA_GCCOLLECT);
  return fine ? &local->outcome : NULL;
}

size_t state_memory(fut_worker_local *local) {
  return (size_t)lua_gc(local->L, LUA_GCCOUNT) * 1024 +
         (size_t)lua_gc(local->L, LUA_GCCOUNTB);
}

void state_outcome_push(lua_State *L, context *ctx, int first) {
  if (lua_gettop(L) == first) { /* the error alone */
    lua_pushvalue(L, first);
    lua_pushnil(L);
    return;
  }
  lua_Integer class = lua_tointeger(L, first);
  lua_pushvalue(L, first + 1);
  if (class >= 0 && class < FAIL_CLASS_COUNT) {
    fail_push(L, ctx, (enum fail_class) class);
    lua_pushvalue(L, first + 2);
    lua_setfield(L, -2, "traceback");
  }
  lua_pushvalue(L, first + 2);
}
