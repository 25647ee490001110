rockspec_format = "3.0"
package = "futures"
version = "scm-1"
source = {
  url = "git+file://.", -- for `luarocks make`, which builds what lies beside this file
}
description = {
  summary = "Python's concurrent.futures for Lua: pools of threads and of processes",
  detailed = [[
Run Lua functions on several processor cores and pick up what they return:
submit, map, wait and as_completed, on threads with a Lua state each or on child
processes. Errors arrive whole, tasks can be cancelled and stopped.]],
  license = "MIT",
  labels = { "threads", "concurrency", "multiprocessing" },
}
supported_platforms = { "unix" }
dependencies = { "lua >= 5.4, < 5.5" }
build = {
  type = "cmake",
  variables = {
    BUILD_TESTING = "OFF",
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_C_FLAGS_RELEASE = "$(CFLAGS)",
    CMAKE_RULE_MESSAGES = "OFF", -- each is a process: a third of the time

    -- LuaRocks takes what is in lua/ and lib/ to where Lua looks, and leaves the
    -- rest. So the program of worker processes goes with the module.
    FUTURES_MODULE_ONLY = "ON",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    FUTURES_LUA_CMOD = "lib",
    FUTURES_LUA_SHARE = "lua",
    FUTURES_DOC = "doc",

    -- The Lua that LuaRocks serves, if there are several.
    LUA_INCLUDE_DIR = "$(LUA_INCDIR)",
    LUA_PROGRAM = "$(LUA)",
    Lua_ROOT = "$(LUA_DIR)",
  },
}
