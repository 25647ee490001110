/* call.h - tasks for tests that go to a worker elsewhere, as bytes */
#ifndef SPEC_CALL_H
#define SPEC_CALL_H

#include "cases.h"
#include "check.h"
#include "executor.h"
#include "memory.h"

#include <stdio.h>
#include <string.h>

typedef struct call {
  fut_task task;
  unsigned char *bytes; /* the call, then the outcome */
  size_t size;
  bool over;         /* the bytes are the outcome's */
  const char *name;  /* NULL: none */
  fut_err why;       /* it was made to fail: for this, FUT_OK: it was not */
  char message[300]; /* ... and this */
} call;

static inline void call_fini(fut_future *future) {
  call *self = (call *)future;
  fut_memory_free(self->bytes);
  fut_task_fini(&self->task);
}

static inline void call_fail(fut_task *task, fut_err why, const char *message) {
  call *self = (call *)task;
  self->why = why;
  snprintf(self->message, sizeof self->message, "%s",
           message ? message : fut_err_message(why));
  fut_future_end(&task->future, FUT_FAILED);
}

static inline fut_call call_get(const fut_task *task) {
  const call *self = (const call *)task;
  return (fut_call){self->name, self->bytes, self->size};
}

static inline unsigned char *call_room(fut_task *task, size_t size) {
  call *self = (call *)task;
  unsigned char *room = fut_memory_new(size + 1);
  if (room == NULL)
    return NULL;
  fut_memory_free(self->bytes);
  self->bytes = room;
  self->size = size;
  self->over = true;
  return room;
}

static const fut_task_kind call_kind = {
    .future = {.object = {"call", fut_future_free},
               .fini = call_fini,
               .watched = fut_task_watched},
    .fail = call_fail,
    .call = call_get,
    .outcome = call_room};

static inline fut_arena *call_arena(void) {
  return fut_arena_new(sizeof(call));
}

/* Return a call of these bytes at one reference, which is the caller's. */
static inline call *call_of(fut_arena *arena, const void *bytes, size_t size) {
  call *self = fut_arena_take(arena);
  fut_task_init(&self->task, &call_kind, arena);
  self->bytes = fut_memory_new(size + 1);
  memcpy(self->bytes, bytes, size);
  self->size = size;
  self->over = false;
  self->name = NULL;
  self->why = FUT_OK;
  self->message[0] = '\0';
  return self;
}

static inline call *call_new(fut_arena *arena, const char *text) {
  return call_of(arena, text, strlen(text));
}

/* Owner of the arena only. */
static inline void call_release(call *self) {
  fut_future_release(&self->task.future, self->task.future.arena);
}

static inline fut_state call_state(const call *self) {
  return fut_future_state(&self->task.future);
}

/* Whether the outcome is this text. */
static inline bool call_says(const call *self, const char *text) {
  return self->over && self->size == strlen(text) &&
         memcmp(self->bytes, text, self->size) == 0;
}

#endif
