/* worker.c - what a worker process does: Lua calls

   The settings are strings, each with a null byte behind it: path, cpath. */
#include "worker.h"

#include "memory.h"
#include "state.h"
#include "state_environment.h"

#include <stdio.h>
#include <string.h>

bool worker_settings(wire_message *settings, const char *path,
                     const char *cpath) {
  size_t path_size = strlen(path) + 1, cpath_size = strlen(cpath) + 1;
  settings->bytes = fut_memory_new(path_size + cpath_size);
  if (settings->bytes == NULL)
    return false;
  settings->capacity = settings->size = path_size + cpath_size;
  memcpy(settings->bytes, path, path_size);
  memcpy(settings->bytes + path_size, cpath, cpath_size);
  return true;
}

static fut_worker_report report; /* of the one state */

static fut_worker_local *worker_open(const unsigned char *settings,
                                     size_t settings_size, size_t memory_limit,
                                     const char *name, char *message,
                                     size_t size) {
  (void)settings_size;
  (void)memory_limit;
  (void)name;
  const char *path = (const char *)settings;
  const char *cpath = path + strlen(path) + 1;
  state_environment *environment =
      state_environment_new(WIRE_PORTABLE, path, cpath, FUT_UNLIMITED, NULL);
  fut_worker_local *local = NULL;
  char *why = NULL;
  fut_err err = FUT_ENOMEM;
  if (environment) /* for good, as the state refers to it */
    err = state_ops.open(&environment->object, NULL, &report, &local, &why);
  if (err != FUT_OK)
    snprintf(message, size, "%s", why ? why : fut_err_message(err));
  fut_memory_free(why);
  return local;
}

static void worker_run(fut_worker_local *local, const fut_call *call,
                       fut_process_outcome *outcome) {
  job_content content = {.bytes = call->bytes, .size = call->size};
  fut_state state;
  wire_message *message = state_run(local, NULL, &content, call->name, &state);
  fflush(stdout);
  outcome->failed = state == FUT_FAILED;
  if (message) {
    outcome->bytes = message->bytes;
    outcome->size = message->size;
  } else
    outcome->bytes = job_memory_failure(&outcome->size);
}

static size_t worker_memory(fut_worker_local *local) {
  (void)local;
  return atomic_load(&report.memory);
}

static void worker_close(fut_worker_local *local) { state_ops.close(local); }

const fut_process_worker_ops worker_ops = {.open = worker_open,
                                           .run = worker_run,
                                           .memory = worker_memory,
                                           .close = worker_close};
