/* worker.c - what a worker process does: Lua calls

   The settings are path and cpath, each with a null byte behind it, and then
   the message of the initializer, if there is one.

   The main thread runs the state, as a worker of a thread pool does; it is
   stopped in the same way, by a signal from the guardian (stop.h). */
#include "worker.h"

#include "interruption.h"
#include "map_far.h"
#include "memory.h"
#include "runner.h"
#include "state.h"
#include "state_environment.h"

#include <stdio.h>
#include <string.h>

#define PROGRAM_MEMORY ((size_t)64 << 20) /* code, stacks, messages */

struct fut_process_local {
  fut_object *environment;
  fut_worker_local *state; /* NULL: to be made before the next call */
  fut_worker_report report;
  fut_interruption interruption;
  fut_runner runner; /* of which the state knows the number */
};

bool worker_settings(wire_message *settings, const char *path,
                     const char *cpath, const wire_message *initializer) {
  size_t path_size = strlen(path) + 1, cpath_size = strlen(cpath) + 1;
  size_t rest = initializer ? initializer->size : 0;
  unsigned char *bytes = fut_memory_new(path_size + cpath_size + rest);
  if (bytes == NULL)
    return false;
  memcpy(bytes, path, path_size);
  memcpy(bytes + path_size, cpath, cpath_size);
  if (rest > 0)
    memcpy(bytes + path_size + cpath_size, initializer->bytes, rest);
  settings->bytes = bytes;
  settings->capacity = settings->size = path_size + cpath_size + rest;
  return true;
}

/* Return what worker_settings() wrote as an environment, or NULL. */
static fut_object *read_settings(const fut_process_given *given) {
  const unsigned char *settings = given->settings;
  size_t size = given->settings_size;
  const char *path = (const char *)settings;
  const char *cpath = path + strlen(path) + 1;
  size_t head = (size_t)(cpath + strlen(cpath) + 1 - path);
  wire_message initializer;
  wire_message_init(&initializer);
  if (size > head) {
    initializer.bytes = fut_memory_new(size - head);
    if (initializer.bytes == NULL)
      return NULL;
    memcpy(initializer.bytes, settings + head, size - head);
    initializer.capacity = initializer.size = size - head;
  }
  state_environment *environment = state_environment_new(
      WIRE_PORTABLE, path, cpath, given->memory_limit, &initializer);
  wire_message_fini(&initializer);
  if (environment) {
    environment->shelf = given->shelf;
    environment->shelf_size = given->shelf_size;
  }
  return environment ? &environment->object : NULL;
}

/* Have a state. *why, if not NULL afterwards, is owned by the caller. */
static fut_err open_state(fut_process_local *self, char **why) {
  if (self->state)
    return FUT_OK;
  self->report.worn = self->report.untidy = false;
  return state_ops.open(self->environment, &self->runner, &self->report,
                        &self->state, why);
}

/* In the signal handler, on the main thread. */
static void interrupted(void *argument) {
  fut_process_local *self = argument;
  if (self->state)
    state_ops.interrupt(self->state);
}

static fut_process_local *worker_open(const fut_process_given *given,
                                      unsigned number, char *report,
                                      size_t size) {
  static fut_process_local self; /* there is one in a process */
  size_t memory_limit = given->memory_limit;
  char *why = NULL;
  fut_err err = FUT_ENOMEM;
  atomic_init(&self.report.memory, 0);
  atomic_init(&self.report.asked, false);
  atomic_init(&self.report.acknowledged, false);
  self.runner = (fut_runner){&fut_runner_alone, NULL, number};
  fut_interruption_open(&self.interruption, interrupted, &self);
  /* for what C libraries take as well; the rest is for the program itself */
  if (memory_limit < SIZE_MAX / 2)
    fut_process_limit_memory(memory_limit + memory_limit / 4 + PROGRAM_MEMORY);
  self.environment = read_settings(given);
  if (self.environment)
    err = open_state(&self, &why);
  if (err == FUT_OK)
    return &self;
  snprintf(report, size, "%s", why ? why : fut_err_message(FUT_ENOMEM));
  fut_memory_free(why);
  return NULL;
}

/* The outcome of a call that was not made. */
static void fail(fut_process_outcome *outcome) {
  outcome->failed = true;
  outcome->bytes = job_memory_failure(&outcome->size);
}

/* Whether there is a state; if not, that is the outcome. */
static bool ready(fut_process_local *self, fut_process_outcome *outcome) {
  char *why = NULL;
  fut_err err = open_state(self, &why);
  if (err == FUT_OK)
    return true;
  fut_memory_free(why); /* it was made before: memory, most probably */
  outcome->stopped = err == FUT_EINTR;
  if (!outcome->stopped)
    fail(outcome);
  return false;
}

/* What a call has come to. */
static void deliver(wire_message *message, fut_state state,
                    fut_process_outcome *outcome) {
  fflush(stdout);
  outcome->stopped = state == FUT_CANCELLED;
  outcome->failed = state == FUT_FAILED;
  if (message) {
    outcome->bytes = message->bytes;
    outcome->size = message->size;
  } else if (!outcome->stopped)
    fail(outcome);
}

static void worker_run(fut_process_local *self, const fut_call *call,
                       fut_process_outcome *outcome) {
  if (call->bytes == NULL) {
    fail(outcome);
    return;
  }
  if (!ready(self, outcome))
    return;
  job_content content = {.bytes = call->bytes, .size = call->size};
  fut_state state;
  wire_message *message =
      state_run(self->state, NULL, &content, call->name, &state);
  deliver(message, state, outcome);
}

static void worker_run_next(fut_process_local *self, const fut_call *call,
                            size_t *at, fut_process_outcome *outcome) {
  if (call == NULL || call->bytes == NULL) {
    fail(outcome);
    return;
  }
  job_content function, item;
  bool whole = map_far_next(call, at, &function, &item);
  if (!ready(self, outcome))
    return;
  fut_state state;
  wire_message *message =
      whole
          ? state_run(self->state, NULL, &item, NULL, &state)
          : state_run_apart(self->state, NULL, &function, &item, NULL, &state);
  deliver(message, state, outcome);
}

static void worker_stop(fut_process_local *self) {
  atomic_store(&self->report.asked, true);
  if (!atomic_load(&self->report.acknowledged))
    fut_interruption_send(&self->interruption);
}

static void worker_settle(fut_process_local *self) {
  if (atomic_load(&self->report.asked)) {
    fut_interruption_absorb();
    atomic_store(&self->report.asked, false);
    atomic_store(&self->report.acknowledged, false);
  }
  if (self->report.worn && self->state) {
    state_ops.close(self->state);
    self->state = NULL;
  }
}

static bool worker_untidy(fut_process_local *self) {
  return self->state && self->report.untidy && !self->report.worn;
}

static void worker_tidy(fut_process_local *self) {
  state_ops.tidy(self->state);
}

static size_t worker_memory(fut_process_local *self) {
  return atomic_load(&self->report.memory);
}

static void worker_close(fut_process_local *self) {
  if (self->state)
    state_ops.close(self->state);
  fut_interruption_close(&self->interruption);
  fut_object_release(self->environment);
}

const fut_process_worker_ops worker_ops = {.open = worker_open,
                                           .run = worker_run,
                                           .run_next = worker_run_next,
                                           .stop = worker_stop,
                                           .settle = worker_settle,
                                           .untidy = worker_untidy,
                                           .tidy = worker_tidy,
                                           .memory = worker_memory,
                                           .close = worker_close};
