/* host.c - a small stand-in for `lua`, so that it can carry sanitizers

   Behaves like the standalone interpreter for `host [options] [script [args]]`
   with -e, -l, -W, - and --; there is no interactive mode. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#ifdef FUT_TSAN
#include <setjmp.h>

/* What errors and yields of a Lua call that was built with _FORTIFY_SOURCE.
   ThreadSanitizer does not know it and keeps a frame for each function left
   that way: hand it on to the one that it knows. */
__attribute__((visibility("default"))) void __longjmp_chk(jmp_buf where,
                                                          int value);

void __longjmp_chk(jmp_buf where, int value) { longjmp(where, value); }
#endif

static lua_State *interrupted; /* set before its handler is installed */

static void set_signal(int signal, void (*handler)(int)) {
  struct sigaction action;
  action.sa_handler = handler;
  action.sa_flags = 0; /* waiting calls return EINTR */
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, NULL);
}

static void raise_interrupt(lua_State *L, lua_Debug *event) {
  (void)event;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/* Only a hook may be set here; a second signal ends the process. */
static void on_signal(int signal) {
  int events = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
  set_signal(signal, SIG_DFL);
  lua_sethook(interrupted, raise_interrupt, events, 1);
}

static int report(lua_State *L, const char *program, int status) {
  if (status != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    fprintf(stderr, "%s: %s\n", program,
            message ? message : "(error message is not a string)");
    fflush(stderr);
    lua_pop(L, 1);
  }
  return status;
}

static int handle_message(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message == NULL) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
      return 1;
    message =
        lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

/* Call the function below its arguments: Ctrl-C raises in it, and an error
   gets a traceback. */
static int call(lua_State *L, int arguments, int results) {
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, handle_message);
  lua_insert(L, base);
  interrupted = L;
  set_signal(SIGINT, on_signal);
  int status = lua_pcall(L, arguments, results, base);
  set_signal(SIGINT, SIG_DFL);
  lua_remove(L, base);
  return status;
}

static int run_text(lua_State *L, const char *text) {
  int status = luaL_loadbuffer(L, text, strlen(text), "=(command line)");
  return status == LUA_OK ? call(L, 0, 0) : status;
}

static int run_require(lua_State *L, const char *module) {
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  int status = call(L, 1, 1);
  if (status == LUA_OK)
    lua_setglobal(L, module);
  return status;
}

/* argv[script] is the script's name or "-", or there is nothing at all;
   what follows are its arguments. */
static int run_script(lua_State *L, int argc, char **argv, int script) {
  const char *file = argv[script];
  if (file && strcmp(file, "-") == 0 && strcmp(argv[script - 1], "--") != 0)
    file = NULL; /* standard input */
  int status = luaL_loadfile(L, file);
  if (status != LUA_OK)
    return status;
  luaL_checkstack(L, argc + 3, "too many arguments to script");
  int function = lua_gettop(L);
  for (int i = script + 1; i < argc; i++)
    lua_pushstring(L, argv[i]);
  return call(L, lua_gettop(L) - function, LUA_MULTRET);
}

/* arg[0] is the script, its arguments follow, the rest has indices below. */
static void set_arg(lua_State *L, int argc, char **argv, int script) {
  if (script == argc)
    script = 0;
  lua_createtable(L, argc - script, script + 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

static const char usage[] =
    "usage: host [-e text] [-l module] [-W] [--] [script [args]]";

static int is_option(const char *argument) {
  return argument[0] == '-' && argument[1] != '\0' &&
         strcmp(argument, "--") != 0;
}

/* The value of the -e or -l at argv[*i], attached or next; moves *i to it. */
static const char *option_value(int argc, char **argv, int *i) {
  if (argv[*i][2] != '\0')
    return argv[*i] + 2;
  return ++*i < argc ? argv[*i] : NULL;
}

/* Return where the script is, argc if there is none, 0 if an option is bad. */
static int find_script(int argc, char **argv) {
  int i = 1;
  for (; i < argc && is_option(argv[i]); i++) {
    if (strcmp(argv[i], "-W") == 0)
      continue;
    if ((argv[i][1] != 'e' && argv[i][1] != 'l') ||
        option_value(argc, argv, &i) == NULL)
      return 0;
  }
  return i < argc && strcmp(argv[i], "--") == 0 ? i + 1 : i;
}

static int run_options(lua_State *L, int script, char **argv) {
  int status = LUA_OK;
  for (int i = 1; i < script && is_option(argv[i]) && status == LUA_OK; i++) {
    if (argv[i][1] == 'W') {
      lua_warning(L, "@on", 0);
      continue;
    }
    int require = argv[i][1] == 'l';
    const char *value = option_value(script, argv, &i);
    status = require ? run_require(L, value) : run_text(L, value);
  }
  return status;
}

/* pmain(argc, argv) -> true if all went well */
static int pmain(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  int script = find_script(argc, argv);
  if (script == 0) {
    fprintf(stderr, "%s\n", usage);
    return 0;
  }
  luaL_checkversion(L);
  luaL_openlibs(L);
  set_arg(L, argc, argv, script);
  lua_gc(L, LUA_GCGEN, 0, 0);
  int status = run_options(L, script, argv);
  if (status == LUA_OK && (script < argc || argc == 1))
    status = run_script(L, argc, argv, script);
  lua_pushboolean(L, report(L, argv[0], status) == LUA_OK);
  return 1;
}

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    fprintf(stderr, "%s: cannot create state: not enough memory\n", argv[0]);
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, pmain);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  int status = lua_pcall(L, 2, 1, 0);
  int succeeded = lua_toboolean(L, -1);
  report(L, argv[0], status);
  lua_close(L);
  return succeeded && status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
