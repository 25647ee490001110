/* futures_lua.h - the Lua module futures for programs that carry Lua 5.4

   The module lies in the library with all its Lua sources: no file beside the
   program is needed, package.path and package.cpath may be empty. The library
   is not linked with liblua: it uses the Lua of the program, whose
   luaL_openlibs it needs for the states of its workers. */
#ifndef FUTURES_LUA_H
#define FUTURES_LUA_H

#include "futures.h"

#include <lua.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Open the module in a state and return it on the stack:

     luaL_requiref(L, "futures", luaopen_futures, 0);
     lua_pop(L, 1);

   The library `package` must be open, as luaL_openlibs does it. Any number of
   states may have the module, each with executors and callbacks of its own;
   a state is used by one thread at a time, and may move between threads while
   none of its functions runs. lua_close() blocks until the tasks that the
   state has submitted have ended. Raises what the opening raises. */
FUTURES_API int luaopen_futures(lua_State *L);

/* Have open(L) called in every new worker state of threads, from now on, and in
   that of a worker program of the host's (futures_worker_main), after the
   standard libraries were opened: it adds the libraries of the host, say by
   luaL_requiref(). It runs on the worker's thread, several at a time, and
   leaves the stack as it found it, or not. Several functions run in the order
   in which they were given; one that was given before is not added again. If
   one raises, the tasks of that worker fail with an error that says so.

   What the submitting state has in package.loaded under the same name travels
   to the workers by that name.

   Any thread. Never blocks. Aborts the program if memory ran out. */
FUTURES_API void futures_on_state(lua_CFunction open);

/* Return whether the arguments are those that an executor gives a worker
   process: for programs that are their own worker. Any thread. */
FUTURES_API bool futures_is_worker(int argc, char **argv);

/* Be a worker process: what main() of a host's own worker program does, after
   futures_on_state() and before anything else. The program may be the host
   itself:

     int main(int argc, char **argv) {
       futures_on_state(open_my_libraries);
       if (futures_is_worker(argc, argv))
         return futures_worker_main(argc, argv);
       ...

   The variable FUTURES_WORKER, in the environment of the process that makes the
   executor, names the program. It is linked with this library, of the same
   build as the host's, and with Lua, whose functions it exports to the C
   modules that tasks load: CMake's target futures::worker, or what
   pkg-config --variable=worker_libs futures says.

   Return the exit code of the program: 2 if the arguments are not those of a
   worker. Blocks until there is nothing more to do. */
FUTURES_API int futures_worker_main(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
