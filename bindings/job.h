/* job.h - a Lua call as a task: values in, values or an error out */
#ifndef FUT_JOB_H
#define FUT_JOB_H

#include "circle.h"
#include "context.h"
#include "task.h"

#define JOB_SIZE ((size_t)192) /* of a block in the arena of a context */

struct job;

/* What a job holds as bytes: the call before it ran, its outcome after. */
typedef struct job_content {
  const unsigned char *bytes;
  size_t size;
  fut_object *const *objects;
  size_t object_count;
} job_content;

/* Return a job that holds the message, encoded in that mode, which is empty
   then, with two references: one for the handle, one for the executor. NULL if
   memory ran out. Owner of the context only. */
struct job *job_new(context *ctx, wire_message *message, enum wire_mode mode);

/* Name the job for messages, once, before it is submitted; the name is copied.
   False: out of memory. */
bool job_set_name(struct job *job, const char *name);

/* Return that name or NULL. Borrowed. Any thread that holds a reference. */
const char *job_name(const struct job *job);

/* Return the task that a job is. */
fut_task *job_task(struct job *job);

/* Return the future of a job. */
fut_future *job_future(struct job *job);

/* Whether a future is that of a job. */
bool future_is_job(const fut_future *future);

/* Return the mode in which the outcome of a job is encoded. */
enum wire_mode job_mode(const fut_future *future);

/* Return what its outcome holds. Assumes the lock of circles held. */
circle_links job_links(const fut_future *future);

/* Return the outcome of a future that is that of a job and FINISHED or FAILED:
   values, or error and traceback. Borrowed. */
job_content job_outcome(const fut_future *future);

/* Make the empty message the outcome that fut_task_kind.fail() writes, as
   failure.h has them: class, message, no traceback. False: out of memory. Any
   thread. */
bool job_put_failure(wire_message *outcome, fut_err why, const char *message);

/* Say that so many bytes were written over an outcome; for the benchmark. */
void job_set_size(fut_future *future, size_t size);

/* Return the outcome of a call that failed because memory ran out: static
   bytes, good in every mode. */
const unsigned char *job_memory_failure(size_t *size);

/* Let go of the call that will not be made. Requires that the caller has
   cancelled the future. */
void job_drop(fut_future *future);

#endif
