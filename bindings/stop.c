/* stop.c - ending the Lua code of a task from outside

   The first event after the signal raises the error. `<close>` variables and
   the like then run to their end, within limits: the hook comes back every
   ROUND instructions, and after GRACE_ROUNDS of them, if GRACE_NS have passed
   as well, it raises again, from then on at every event. Loops around protected
   calls end because these pass the error on (stop_functions.c), loops around
   those of C code because no instruction outside of them is executed then.

   A message handler of xpcall would run inside the hook, where nothing can stop
   it: it is replaced before the error is raised.

   ThreadSanitizer holds signals back until the task makes a system call. There
   a standing hook looks every POLL instructions as well whether it was asked.
 */
#include "stop.h"

#include "stop_functions.h"

#include <lauxlib.h>
#include <stdlib.h>

#define ROUND 10000
#define GRACE_ROUNDS 10
#define GRACE_NS 100000000
#define PATIENCE 10
#define POLL 1000
#define LEVELS 4000 /* how deep handlers of xpcall are looked for */
#define ALL (LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT)

#ifdef FUT_TSAN
static const bool polling = true;
#else
static const bool polling = false;
#endif

/* Their addresses: the errors, in the registry. */
static const char stop_key, exit_key;

bool stop_asked(const stop *self) { return atomic_load(&self->report->asked); }

/* What xpcall calls instead of its handler: keeps the error as it is. */
static int keep(lua_State *L) {
  lua_settop(L, 1);
  return 1;
}

static void replace_handlers(lua_State *L) {
  lua_Debug ar;
  for (int level = 0; level < LEVELS && lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "f", &ar);
    lua_CFunction function = lua_tocfunction(L, -1);
    if (function == l_stop_xpcall) {
      lua_pushcfunction(L, keep);
      if (lua_setlocal(L, &ar, STOP_XPCALL_HANDLER) == NULL)
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (function == stop_of(L)->base)
      return; /* what follows is of another task */
  }
}

void stop_raise(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX,
              stop_of(L)->exiting ? &exit_key : &stop_key);
  lua_error(L);
  abort(); /* not reached */
}

static _Noreturn void raise_first(lua_State *L, stop *self) {
  self->unwinding = true;
  self->raised++;
  self->rounds = 0;
  self->since = fut_clock_now();
  atomic_store(&self->report->acknowledged, true);
  replace_handlers(L);
  stop_raise(L);
}

static void hook(lua_State *L, lua_Debug *ar);

static void arm(void *context, lua_State *L) {
  stop *self = context;
  lua_Hook other = lua_gethook(L);
  if (other && other != hook)
    self->doubt = 1;
  lua_sethook(L, hook, ALL, 1);
}

static void hook(lua_State *L, lua_Debug *ar) {
  stop *self = stop_of(L);
  (void)ar;
  if (!stop_asked(self)) { /* it comes too late */
    if (!polling)
      lua_sethook(L, NULL, 0, 0);
    return;
  }
  bool cleaning = lua_gethookcount(L) == ROUND;
  if (!cleaning && !self->hard)
    lua_sethook(L, hook, LUA_MASKCOUNT, ROUND);
  if (!self->unwinding)
    raise_first(L, self);
  if (!self->hard) {
    if (!cleaning || ++self->rounds < GRACE_ROUNDS ||
        fut_clock_now() - self->since < GRACE_NS)
      return;
    self->rounds = 0; /* for those that come after the one broken off */
    self->doubt = 1;
    if (++self->broken_off == PATIENCE) {
      self->hard = true;
      arm(self, L);
    }
  }
  self->raised++;
  replace_handlers(L);
  stop_raise(L);
}

void stop_arrived(stop *self) {
  if (!stop_asked(self))
    return;
  lua_State *running = self->running;
  self->armed = 1;
  arm(self, self->main);
  if (running != self->main)
    arm(self, running);
  if (++self->tries > 2) /* C code may run a thread that we do not know of */
    allocator_each_thread(allocator_of(self->main), arm, self);
}

static void poll(lua_State *L) {
  lua_sethook(L, polling ? hook : NULL, polling ? LUA_MASKCOUNT : 0,
              polling ? POLL : 0);
}

static void disarm(void *context, lua_State *L) {
  (void)context;
  if (lua_gethook(L) == hook)
    poll(L);
}

/* Take back the hooks of a stop that is over. */
static void take_back(stop *self) {
  if ((self->armed || polling) && !stop_asked(self)) {
    self->armed = 0;
    disarm(NULL, self->main);
    allocator_each_thread(allocator_of(self->main), disarm, NULL);
  }
}

void stop_begin(stop *self, lua_State *L) {
  self->unwinding = self->exiting = self->hard = false;
  self->tries = 0;
  self->broken_off = 0;
  self->running = L;
  take_back(self);
}

void stop_resume(stop *self, const stop *outer) {
  self->unwinding = outer->unwinding;
  self->exiting = outer->exiting;
  self->hard = outer->hard;
  self->tries = outer->tries;
  self->broken_off = outer->broken_off;
  self->rounds = outer->rounds;
  self->since = outer->since;
  self->running = outer->running;
  take_back(self);
  stop_arrived(self); /* if the signal came before */
}

bool stop_due(const stop *self) { return !self->unwinding && stop_asked(self); }

void stop_now(lua_State *L) { raise_first(L, stop_of(L)); }

void stop_open(stop *self, lua_State *L, fut_worker_report *report,
               lua_CFunction base) {
  *self = (stop){.report = report, .main = L, .running = L, .base = base};
  allocator_of(L)->owner = self;
  lua_pushliteral(L, "the task was stopped");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &stop_key);
  poll(L);
}

void stop_exit(lua_State *L) {
  stop *self = stop_of(L);
  if (self->unwinding) /* in a closer */
    lua_error(L);
  self->exiting = true;
  lua_rawsetp(L, LUA_REGISTRYINDEX, &exit_key);
  raise_first(L, self);
}
