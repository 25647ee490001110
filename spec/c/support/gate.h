/* gate.h - a job that occupies a worker until it is let go */
#ifndef SPEC_GATE_H
#define SPEC_GATE_H

#include "latch.h"
#include "pool.h"

typedef struct gate {
  latch entered, opened;
  job *task;
} gate;

static inline void gate_run(job *self) {
  gate *at = self->context;
  latch_down(&at->entered);
  latch_wait(&at->opened);
}

/* Submit a job that runs until the gate is opened. Owner of the arena only. */
static inline void gate_close(gate *at, fut_executor *pool, fut_arena *arena,
                              double priority) {
  latch_init(&at->entered, 1);
  latch_init(&at->opened, 1);
  at->task = job_new(arena, gate_run, at);
  at->task->task.priority = priority;
  assert_int_equal(pool_submit(pool, at->task), FUT_OK);
}

/* Block until the job runs; false if that takes far too long. */
static inline bool gate_entered(gate *at) { return latch_wait(&at->entered); }

/* Requires that the job has ended. */
static inline void gate_fini(gate *at) {
  job_release(at->task);
  latch_fini(&at->entered);
  latch_fini(&at->opened);
}

/* Let the job end, and wait for that. */
static inline void gate_open(gate *at) {
  latch_down(&at->opened);
  assert_true(await(&at->task->task.future));
  gate_fini(at);
}

#endif
