/* job.c - a Lua call as a task: values in, values or an error out */
#include "job.h"

#include "circle.h"
#include "fail.h"
#include "memory.h"
#include "state.h"
#include "wire_message.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SPACE 40 /* for content of which there is little */

/* The content moves between submitter and worker with the state of the future:
   before it starts it is the submitter's, then the worker's, then read only. If
   the future is abandoned it stays the worker's, and the verdict is read. */
struct job {
  fut_task task;
  size_t size; /* of the content */
  unsigned object_count;
  unsigned char mode; /* set once: enum wire_mode of both, call and outcome */
  bool holds; /* guarded by the lock of circles: the outcome is written, and
                 objects holds futures */
  union {
    fut_object *one;   /* the only one */
    fut_object **many; /* a block of its own, if there are more */
  } objects;
  char *name;                  /* owned; NULL: none */
  const wire_message *verdict; /* the outcome if the future was abandoned; set
                                  before that; owned unless it is no_memory */
  union {
    unsigned char here[SPACE];
    unsigned char *block; /* of its own, for what does not fit here */
  } bytes;
};

static_assert(sizeof(struct job) <= JOB_SIZE, "fits into a block");

static job_content content(const struct job *job) {
  return (job_content){
      job->size <= SPACE ? job->bytes.here : job->bytes.block, job->size,
      job->object_count > 1 ? job->objects.many : &job->objects.one,
      job->object_count};
}

static void empty(struct job *job) {
  if (job->object_count == 1)
    fut_object_release(job->objects.one);
  else if (job->object_count > 1) {
    for (unsigned i = 0; i < job->object_count; i++)
      fut_object_release(job->objects.many[i]);
    fut_memory_free(job->objects.many);
  }
  if (job->size > SPACE)
    fut_memory_free(job->bytes.block);
  job->size = job->object_count = 0;
}

/* Move the message into the empty job; false if memory ran out. */
static bool fill(struct job *job, wire_message *message) {
  if (message->object_count > UINT_MAX)
    return false;
  unsigned char *bytes = job->bytes.here;
  if (message->size > SPACE) {
    bytes = message->bytes; /* taken as it is, if not much too large */
    if (message->capacity > 2 * message->size &&
        (bytes = fut_memory_new(message->size)) == NULL)
      return false;
    job->bytes.block = bytes;
  }
  if (message->object_count > 1) {
    job->objects.many = message->objects;
    message->objects = NULL;
    message->object_capacity = 0;
  } else if (message->object_count == 1)
    job->objects.one = message->objects[0];
  job->object_count = (unsigned)message->object_count;
  message->object_count = 0;
  if (bytes == message->bytes) {
    message->bytes = NULL;
    message->capacity = 0;
  } else
    memcpy(bytes, message->bytes, message->size);
  job->size = message->size;
  message->size = 0;
  return true;
}

/* The last resort, an outcome that needs no memory: the one string. */
static unsigned char no_memory_bytes[] = {WIRE_VERSION,
                                          WIRE_FLAG_PLAIN,
                                          1,
                                          WIRE_SHORT + 17,
                                          'n',
                                          'o',
                                          't',
                                          ' ',
                                          'e',
                                          'n',
                                          'o',
                                          'u',
                                          'g',
                                          'h',
                                          ' ',
                                          'm',
                                          'e',
                                          'm',
                                          'o',
                                          'r',
                                          'y',
                                          WIRE_FINISH};

static_assert(sizeof no_memory_bytes <= SPACE, "it needs no block");

static const wire_message no_memory = {.bytes = no_memory_bytes,
                                       .size = sizeof no_memory_bytes};

static void job_fini(fut_future *future) {
  struct job *job = (struct job *)future;
  empty(job);
  if (job->verdict && job->verdict != &no_memory) {
    wire_message_fini((wire_message *)job->verdict);
    fut_memory_free((wire_message *)job->verdict);
  }
  fut_memory_free(job->name);
  fut_task_fini(&job->task);
}

static void fail_memory(struct job *job) {
  empty(job);
  memcpy(job->bytes.here, no_memory.bytes, no_memory.size);
  job->size = no_memory.size;
}

const unsigned char *job_memory_failure(size_t *size) {
  *size = no_memory.size;
  return no_memory.bytes;
}

/* As fill(), for an outcome that holds futures. False also if it would hold the
   job itself: then it is an error that says so, or empty. */
static bool fill_holding(struct job *job, wire_message *outcome) {
  circle_enter();
  bool closes = circle_closes(&job->task.future, outcome);
  bool filled = !closes && fill(job, outcome);
  job->holds = filled;
  circle_leave();
  if (closes) {
    wire_message_fini(outcome);
    wire_put_failure(outcome, FAIL_SERIALIZATION,
                     "cannot send a future that is part of its own result");
  }
  return filled;
}

static fut_state job_run(fut_task *task, fut_worker_local *local) {
  struct job *job = (struct job *)task;
  fut_state state = FUT_FAILED;
  wire_message *outcome = NULL;
  if (local) {
    job_content call = content(job);
    outcome = state_run(local, task, &call, job->name, &state);
  }
  empty(job);
  if (state == FUT_CANCELLED)
    return state;
  if (outcome && circle_possible(outcome)) {
    if (fill_holding(job, outcome))
      return state;
    state = FUT_FAILED;
  }
  if (outcome && outcome->size > 0 && fill(job, outcome))
    return state;
  fail_memory(job);
  return FUT_FAILED;
}

/* The class of the error that a task fails with, when that is not its own. */
static enum fail_class class_of(fut_err why) {
  switch (why) {
  case FUT_ETIMEDOUT:
    return FAIL_TIMEOUT;
  case FUT_EBROKENTHREADS:
    return FAIL_BROKEN_THREAD_POOL;
  case FUT_EBROKENPROCESSES:
    return FAIL_BROKEN_PROCESS_POOL;
  default:
    return FAIL_RUNTIME;
  }
}

bool job_put_failure(wire_message *outcome, fut_err why, const char *message) {
  if (message == NULL)
    message = fut_err_message(why);
  return why != FUT_ENOMEM && wire_put_failure(outcome, class_of(why), message);
}

/* The same for this job, of which the message may tell. */
static bool describe(const struct job *job, fut_err why, const char *message,
                     wire_message *outcome) {
  char text[200];
  if (why == FUT_ETIMEDOUT && message == NULL) {
    const char *name = job->name;
    snprintf(text, sizeof text, "task %s%.100s%stimed out after %.10g s",
             name ? "'" : "", name ? name : "", name ? "' " : "",
             (double)job->task.timeout / 1e9);
    message = text;
  }
  return job_put_failure(outcome, why, message);
}

static void job_fail(fut_task *task, fut_err why, const char *message) {
  struct job *job = (struct job *)task;
  wire_message outcome;
  wire_message_init(&outcome);
  empty(job);
  if (!describe(job, why, message, &outcome) || !fill(job, &outcome))
    fail_memory(job);
  wire_message_fini(&outcome);
  fut_future_end(&task->future, FUT_FAILED);
}

static fut_call job_call(const fut_task *task) {
  const struct job *job = (const struct job *)task;
  return (fut_call){job->name, content(job).bytes, job->size};
}

static void job_abandon(fut_task *task, fut_err why) {
  struct job *job = (struct job *)task;
  wire_message *verdict = fut_memory_new(sizeof *verdict);
  job->verdict = &no_memory;
  if (verdict == NULL)
    return;
  wire_message_init(verdict);
  if (describe(job, why, NULL, verdict))
    job->verdict = verdict;
  else
    fut_memory_free(verdict);
}

static unsigned char *job_room(fut_task *task, size_t size) {
  struct job *job = (struct job *)task;
  unsigned char *block = size > SPACE ? fut_memory_new(size) : NULL;
  if (size > SPACE && block == NULL)
    return NULL;
  empty(job);
  if (block)
    job->bytes.block = block;
  job->size = size;
  return block ? block : job->bytes.here;
}

static const fut_task_kind job_kind = {
    .future = {.object = {"job", fut_future_free},
               .fini = job_fini,
               .watched = fut_task_watched},
    .run = job_run,
    .fail = job_fail,
    .abandon = job_abandon,
    .call = job_call,
    .outcome = job_room};

struct job *job_new(context *ctx, wire_message *message, enum wire_mode mode) {
  struct job *job = fut_arena_take(ctx->arena);
  if (job == NULL)
    return NULL;
  job->size = job->object_count = 0;
  job->name = NULL;
  job->holds = false;
  job->mode = (unsigned char)mode;
  job->verdict = NULL;
  fut_task_init(&job->task, &job_kind, ctx->arena);
  if (!fill(job, message)) {
    fut_arena_give(ctx->arena, job, true);
    return NULL;
  }
  /* relaxed: nobody else knows it yet */
  atomic_store_explicit(&job->task.future.object.references, 2,
                        memory_order_relaxed);
  return job;
}

fut_task *job_task(struct job *job) { return &job->task; }

bool job_set_name(struct job *job, const char *name) {
  size_t size = strlen(name) + 1;
  job->name = fut_memory_new(size);
  if (job->name)
    memcpy(job->name, name, size);
  job->task.named = job->name != NULL;
  return job->name != NULL;
}

const char *job_name(const struct job *job) { return job->name; }

fut_future *job_future(struct job *job) { return &job->task.future; }

bool future_is_job(const fut_future *future) {
  return future->object.kind == &job_kind.future.object;
}

enum wire_mode job_mode(const fut_future *future) {
  return ((const struct job *)future)->mode;
}

job_content job_outcome(const fut_future *future) {
  const struct job *job = (const struct job *)future;
  if (fut_future_abandoned(future))
    return (job_content){job->verdict->bytes, job->verdict->size, NULL, 0};
  return content(job);
}

circle_links job_links(const fut_future *future) {
  const struct job *job = (const struct job *)future;
  if (!job->holds)
    return (circle_links){NULL, 0};
  return (circle_links){content(job).objects, job->object_count};
}

void job_set_size(fut_future *future, size_t size) {
  ((struct job *)future)->size = size;
}

void job_drop(fut_future *future) { empty((struct job *)future); }
