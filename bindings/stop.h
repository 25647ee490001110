/* stop.h - ending the Lua code of a task from outside

   The request comes by a signal, on the thread that runs the state (see
   interruption.h, thread_stop.c), and sets hooks there; without one there is no
   hook. The hook raises an error that `pcall` and the like cannot keep. */
#ifndef FUT_STOP_H
#define FUT_STOP_H

#include "allocator.h"
#include "clock.h"

/* Embedded by the owner of a state; used by the thread that runs it. */
typedef struct stop {
  fut_worker_report *report; /* asked, acknowledged */
  lua_State *main;
  lua_CFunction base;          /* of which no task's code is a caller */
  lua_State *volatile running; /* the thread that runs, as far as is known */
  volatile sig_atomic_t armed; /* hooks have been set */
  volatile sig_atomic_t doubt; /* ... in place of somebody else's */
  volatile sig_atomic_t tries; /* signals of this task */
  bool unwinding;              /* the error was raised in this task */
  bool exiting;                /* ... by the task itself: stop_exit() */
  unsigned broken_off;         /* how often that was too long */
  bool hard;                   /* it was so too often */
  unsigned raised;             /* how often it was raised in this state */
  unsigned rounds;             /* of the hook, while the task cleans up */
  fut_deadline since;          /* when it was raised first */
} stop;

/* Prepare a new state whose allocator is open, and make self its owner. Tasks
   are called by the C function base. Raises a memory error. */
void stop_open(stop *self, lua_State *L, fut_worker_report *report,
               lua_CFunction base);

/* Replace what would keep the error of a stop to itself, in the globals and in
   the library coroutine. Raises a memory error. */
void stop_replace_functions(lua_State *L);

/* A task begins, on that thread of the state. */
void stop_begin(stop *self, lua_State *L);

/* The task inside of which others ran since outer was copied from self goes on.
   It is stopped if it was asked to meanwhile. */
void stop_resume(stop *self, const stop *outer);

/* In a signal handler: see that the task is stopped if report->asked. */
void stop_arrived(stop *self);

/* Whether the running task was asked to stop. */
bool stop_asked(const stop *self);

/* Whether it was, and the error is still to be raised. */
bool stop_due(const stop *self);

/* Raise the error. Requires that it is due. */
_Noreturn void stop_now(lua_State *L);

/* Return the stop of the state. */
static inline stop *stop_of(lua_State *L) { return allocator_of(L)->owner; }

/* The task ends itself: raise the string on top of the stack so that nothing
   keeps it. */
_Noreturn void stop_exit(lua_State *L);

/* Raise the error of the stop again. */
_Noreturn void stop_raise(lua_State *L);

/* For calls that come back from protected code: raise again if the error was
   raised since there were so many. May be in a closer: then not. */
static inline void stop_pass_on(lua_State *L, const stop *self,
                                unsigned raised) {
  if (self->unwinding && self->raised != raised)
    stop_raise(L);
}

#endif
