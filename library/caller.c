/* caller.c - what the library keeps for each thread that calls it */
#include "caller.h"

#include "check.h"
#include "memory.h"

static _Thread_local caller *mine;
static pthread_key_t key; /* set once; its destructor ends what mine is */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void end(void *argument) {
  caller *self = argument;
  mine = NULL;
  fut_arena_close(self->arena);
  fut_waiter_release(self->waiter);
  fut_memory_free(self);
}

static void make_key(void) { CHECK(pthread_key_create(&key, end) == 0); }

static caller *begin(void) {
  pthread_once(&once, make_key);
  caller *self = fut_memory_new(sizeof *self);
  if (self == NULL)
    return NULL;
  fut_spin_init(&self->spin);
  self->waiter = fut_waiter_new();
  if (self->waiter == NULL)
    goto free_self;
  self->arena = fut_arena_new(CALL_SIZE);
  if (self->arena == NULL)
    goto release_waiter;
  if (pthread_setspecific(key, self) != 0)
    goto close_arena;
  mine = self;
  return self;

close_arena:
  fut_arena_close(self->arena);
release_waiter:
  fut_waiter_release(self->waiter);
free_self:
  fut_memory_free(self);
  return NULL;
}

caller *caller_get(void) { return mine ? mine : begin(); }

fut_arena *caller_arena(void) { return mine ? mine->arena : NULL; }
