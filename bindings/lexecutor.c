/* lexecutor.c - the classes of executors as Lua sees them */
#include "lexecutor.h"

#include "arg.h"
#include "fail.h"
#include "lpool.h"
#include "lresults.h"
#include "lshutdown.h"
#include "lsubmit.h"
#include "lview.h"
#include "serial.h"
#include "stats.h"

static const char executor_magic = 'x';

static executor_box *box_test(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA ||
      lua_rawlen(L, index) != sizeof(executor_box))
    return NULL;
  executor_box *box = lua_touserdata(L, index);
  return box->magic == &executor_magic ? box : NULL;
}

executor_box *executor_check(lua_State *L, int arg) {
  executor_box *box = box_test(L, arg);
  if (box == NULL && view_push_executor(L, arg)) {
    box = lua_touserdata(L, -1); /* which the view keeps */
    lua_pop(L, 1);
  }
  if (box == NULL)
    arg_type_error(L, arg, "Executor");
  if (box->executor == NULL)
    luaL_error(L, "the Lua state is closing");
  return box;
}

executor_box *executor_box_push(lua_State *L, int metatable) {
  executor_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (executor_box){.magic = &executor_magic};
  lua_rawgeti(L, LUA_REGISTRYINDEX, metatable);
  lua_setmetatable(L, -2);
  return box;
}

/* Whether the executor is the one that runs this state's tasks. */
static bool is_own(const context *ctx, const fut_executor *executor) {
  return ctx->runner && ctx->runner->executor == executor;
}

void executor_push(lua_State *L, context *ctx, fut_executor *executor) {
  int metatable = fut_executor_far(executor) ? ctx->process_executor
                  : fut_serial_is(executor)  ? ctx->serial_executor
                                             : ctx->executor;
  executor_box *box = executor_box_push(L, metatable);
  if (is_own(ctx, executor))
    fut_object_hold(&executor->object);
  else
    box->handle = fut_handle_hold(executor);
  box->executor = executor;
}

fut_executor *executor_test(lua_State *L, int index) {
  executor_box *box = box_test(L, index);
  return box ? box->executor : NULL;
}

fut_object *executor_handle(context *ctx, fut_executor *executor) {
  if (is_own(ctx, executor) && ctx->own_handle == NULL)
    ctx->own_handle = fut_handle_hold(executor);
  return &executor->handle;
}

static int executor_gc(lua_State *L) {
  executor_box *box = lua_touserdata(L, 1);
  if (box->executor == NULL)
    return 0;
  fut_executor *executor = box->executor;
  box->executor = NULL;
  fut_object_release(box->handle ? box->handle : &executor->object);
  return 0;
}

static int l_executor_stats(lua_State *L) {
  executor_box *box = executor_check(L, 1);
  context *ctx = context_get(L);
  if (fut_executor_forked(box->executor))
    fail_raise_err(L, ctx, FUT_EFORKED);
  stats_push(L, box->executor);
  return 1;
}

static int l_executor_tostring(lua_State *L) {
  executor_box *box = executor_check(L, 1);
  luaL_getmetafield(L, 1, "__name");
  const char *name = lua_tostring(L, -1);
  fut_executor_stats stats;
  if (fut_executor_forked(box->executor)) {
    lua_pushfstring(L, "<%s at %p of the parent process>", name,
                    (void *)box->executor);
    return 1;
  }
  fut_executor_stats_get(box->executor, &stats);
  const char *broken = fut_executor_broken(box->executor) ? " broken" : "";
  lua_pushfstring(L, "<%s at %p workers=%d pending=%I%s>", name,
                  (void *)box->executor, (int)stats.workers,
                  (LUAI_UACINT)stats.pending, broken);
  return 1;
}

static const luaL_Reg methods[] = {{"submit", l_executor_submit},
                                   {"map", l_executor_map},
                                   {"shutdown", l_executor_shutdown},
                                   {"stats", l_executor_stats},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", executor_gc},
                                       {"__close", l_executor_close},
                                       {"__tostring", l_executor_tostring},
                                       {NULL, NULL}};

static const luaL_Reg process_methods[] = {
    {"terminate_workers", l_executor_terminate_workers},
    {"kill_workers", l_executor_kill_workers},
    {NULL, NULL}};

/* Make a class with methods and an optional parent at index, 0 for none; push
   it. The context is at index upvalue. */
static void push_class(lua_State *L, int upvalue, int parent,
                       const luaL_Reg *own) {
  lua_newtable(L);
  if (own) {
    lua_pushvalue(L, upvalue);
    luaL_setfuncs(L, own, 1);
  }
  lua_createtable(L, 0, 2);
  if (parent) {
    lua_pushvalue(L, parent);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
}

/* Push a metatable for the class at index; a view's does not end what it is a
   view of. */
static void push_metatable(lua_State *L, int upvalue, int class,
                           const char *name, bool view) {
  lua_createtable(L, 0, 7);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, metamethods, 1);
  if (view) {
    lua_pushnil(L);
    lua_setfield(L, -2, "__gc");
    view_set_reduce(L);
  }
  lua_pushvalue(L, class);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, class);
  lua_setfield(L, -2, "__class");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
}

/* Make the class of one kind of executors, set it in the module below the
   context at index upvalue, and return a reference to its metatable. */
static int open_class(lua_State *L, int upvalue, int base, const char *name,
                      const luaL_Reg *own) {
  push_class(L, upvalue, base, own);
  int class = lua_gettop(L);
  push_metatable(L, upvalue, class, name, false);
  push_metatable(L, upvalue, class, name, true);
  lua_setfield(L, -2, "__view");
  int reference = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_setfield(L, upvalue - 1, name);
  return reference;
}

static const luaL_Reg functions[] = {{"thread_pool", l_executor_thread_pool},
                                     {"process_pool", l_executor_process_pool},
                                     {"serial", l_executor_serial},
                                     {"view", l_view_new},
                                     {NULL, NULL}};

void lexecutor_open(lua_State *L, context *ctx) {
  int upvalue = lua_gettop(L), module = upvalue - 1;
  push_class(L, upvalue, 0, methods);
  int base = lua_gettop(L);
  ctx->executor = open_class(L, upvalue, base, "ThreadPoolExecutor", NULL);
  ctx->process_executor =
      open_class(L, upvalue, base, "ProcessPoolExecutor", process_methods);
  ctx->serial_executor = open_class(L, upvalue, base, "SerialExecutor", NULL);
  lua_setfield(L, module, "Executor");
  lua_pushvalue(L, module);
  lua_pushvalue(L, upvalue);
  luaL_setfuncs(L, functions, 1);
  lua_pop(L, 1);
}
