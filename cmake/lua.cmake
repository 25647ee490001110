# Lua 5.4, found by pkg-config or else by FindLua:
#   lua_headers  for the module, which must not be linked with liblua
#   lua_library  for programs that carry Lua
#   LUA_PROGRAM  the interpreter
find_package(PkgConfig)
if(PkgConfig_FOUND AND NOT LUA_INCLUDE_DIR)
  pkg_search_module(LUA IMPORTED_TARGET lua5.4 lua-5.4 lua54 lua)
endif()
if(LUA_FOUND)
  set(lua_version ${LUA_VERSION})
  set(lua_includes ${LUA_INCLUDE_DIRS})
  set(lua_libraries PkgConfig::LUA)
else()
  find_package(Lua REQUIRED)
  set(lua_version ${LUA_VERSION_STRING})
  set(lua_includes ${LUA_INCLUDE_DIR})
  set(lua_libraries ${LUA_LIBRARIES})
endif()
if(NOT lua_version MATCHES "^5\\.4")
  message(FATAL_ERROR "futures needs Lua 5.4, found Lua ${lua_version}")
endif()

add_library(lua_headers INTERFACE)
target_include_directories(lua_headers SYSTEM INTERFACE ${lua_includes})
add_library(lua_library INTERFACE)
target_link_libraries(lua_library INTERFACE lua_headers ${lua_libraries})

find_program(LUA_PROGRAM NAMES lua5.4 lua-5.4 lua54 lua REQUIRED)
