/* job.h - tasks for tests: a C function to run, and what became of it */
#ifndef SPEC_JOB_H
#define SPEC_JOB_H

#include "task.h"

typedef struct job {
  fut_task task;
  void (*body)(struct job *self); /* NULL: nothing to do */
  void *context;                  /* for body */
  unsigned number;                /* for body */
  fut_worker_local *local;        /* of the worker it ran on */
  atomic_uint *ended;             /* counts jobs whose memory was let go */
} job;

static inline fut_state job_run(fut_task *task, fut_worker_local *local) {
  job *self = (job *)task;
  self->local = local;
  if (self->body)
    self->body(self);
  return FUT_FINISHED;
}

static inline void job_fini(fut_future *future) {
  job *self = (job *)future;
  if (self->ended)
    atomic_fetch_add(self->ended, 1);
  fut_task_fini(&self->task);
}

static inline void job_fail(fut_task *task, fut_err why, const char *message) {
  (void)why;
  (void)message;
  fut_future_end(&task->future, FUT_FAILED);
}

static inline void job_abandon(fut_task *task, fut_err why) {
  (void)task;
  (void)why;
}

static const fut_task_kind job_kind = {
    .future = {.object = {"job", fut_future_free}, .fini = job_fini},
    .run = job_run,
    .fail = job_fail,
    .abandon = job_abandon};

static inline fut_arena *job_arena(void) { return fut_arena_new(sizeof(job)); }

/* Return a job at one reference, which is the caller's. */
static inline job *job_new(fut_arena *arena, void (*body)(job *self),
                           void *context) {
  job *self = fut_arena_take(arena);
  fut_task_init(&self->task, &job_kind, arena);
  self->body = body;
  self->context = context;
  self->number = 0;
  self->local = NULL;
  self->ended = NULL;
  return self;
}

static inline void job_hold(job *self) {
  fut_object_hold(&self->task.future.object);
}

/* Owner of the arena only. */
static inline void job_release(job *self) {
  fut_future_release(&self->task.future, self->task.future.arena);
}

static inline fut_state job_state(const job *self) {
  return fut_future_state(&self->task.future);
}

#endif
