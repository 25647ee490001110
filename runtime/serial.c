/* serial.c - an executor that runs each task when it is submitted

   No task ever waits, so there is nothing to lock: whoever is not the thread
   that made the executor is sent away, and closing it from another thread
   only says so. */
#include "serial.h"

#include "memory.h"
#include "serial_limit.h"

#include <pthread.h>

/* What tasks share. Owner only. */
struct share {
  fut_worker_local *local; /* NULL: not open; its signal handler looks, too */
  fut_worker_report report;
  size_t ran; /* tasks since it was opened */
};

struct serial {
  fut_executor executor;
  fut_runner runner;                /* as tasks know it */
  pthread_t owner;                  /* set once: the thread that made it */
  const fut_worker_ops *worker_ops; /* set once; may be NULL */
  fut_object *environment;          /* set once; may be NULL */
  size_t max_tasks;                 /* set once: a local is used so often */
  struct share *share; /* owner only; NULL while a task has it, and before the
                          first */
  fut_serial_watch watch;
  fut_attention *wanted;    /* owner only: of who submits next; NULL */
  void *context;            /* owner only: of wanted */
  fut_executor_stats stats; /* owner only */
  atomic_bool closed;       /* atomic */
};

static bool owned(const struct serial *serial) {
  return pthread_equal(serial->owner, pthread_self());
}

static void close_local(struct serial *serial, struct share *share) {
  if (share && share->local)
    serial->worker_ops->close(share->local);
  fut_memory_free(share);
}

static struct share *new_share(void) {
  struct share *share = fut_memory_new(sizeof *share);
  if (share)
    *share = (struct share){.local = NULL};
  return share;
}

/* Open what tasks share, if it is not. FUT_ENOMEM, FUT_EINTR: it is not open;
   other errors: and the executor is broken. */
static fut_err open_local(struct serial *serial, struct share *share) {
  if (share->local)
    return FUT_OK;
  char *why = NULL;
  fut_err err = serial->worker_ops->open(serial->environment, &serial->runner,
                                         &share->report, &share->local, &why);
  if (err != FUT_OK && err != FUT_ENOMEM && err != FUT_EINTR)
    fut_executor_break(&serial->executor, why ? why : fut_err_message(err));
  fut_memory_free(why);
  return err;
}

/* Count a task that has ended. */
static void count(struct serial *serial, fut_state state, fut_deadline time) {
  serial->stats.run_time += (uint64_t)time;
  serial->stats.completed += state == FUT_FINISHED;
  serial->stats.failed += state == FUT_FAILED;
  serial->stats.cancelled += state == FUT_CANCELLED;
}

/* As fut_task_run(), for so long as the task may run. */
static void run_limited(fut_task *task, fut_worker_local *local,
                        fut_serial_run *watched) {
  const fut_task_kind *kind = fut_task_kind_of(task);
  fut_serial_limit limit;
  fut_task_left(task);
  if (!fut_future_start(&task->future))
    ; /* cancelled */
  else if (fut_serial_limit_begin(&limit, watched, task->timeout) != FUT_OK)
    kind->fail(task, FUT_ETHREAD, "cannot watch the time limit of the task");
  else {
    fut_state state = kind->run(task, local);
    if (fut_serial_limit_end(&limit) && state == FUT_CANCELLED)
      kind->fail(task, FUT_ETIMEDOUT, NULL);
    else
      fut_future_end(&task->future, state);
  }
  fut_future_release(&task->future, NULL);
}

/* watched is NULL where nothing can be stopped. */
static void run(struct serial *serial, fut_task *task, fut_worker_local *local,
                fut_serial_run *watched) {
  fut_object_hold(&task->future.object);
  fut_deadline start = fut_clock_now();
  serial->stats.running++;
  if (watched && task->timeout != FUT_NEVER)
    run_limited(task, local, watched);
  else
    fut_task_run(task, local);
  if (local && serial->worker_ops->settle)
    serial->worker_ops->settle(local);
  serial->stats.running--;
  count(serial, fut_future_state(&task->future), fut_clock_now() - start);
  fut_future_release(&task->future, NULL);
}

/* Run the task, unless what comes before it fails or is interrupted. */
static void attempt(struct serial *serial, fut_task *task,
                    struct share *share) {
  fut_serial_run watched = {.ops = serial->worker_ops,
                            .wanted = serial->wanted,
                            .context = serial->context,
                            .report = &share->report,
                            .local = &share->local};
  bool go = fut_serial_watch_begin(&serial->watch, &watched);
  fut_err err = go ? open_local(serial, share) : FUT_EINTR;
  if (err == FUT_OK || err == FUT_ENOMEM)
    run(serial, task, share->local, &watched);
  else if (err == FUT_EINTR) {
    serial->stats.cancelled++;
    fut_task_left(task);
    fut_future_cancel(&task->future);
    fut_future_release(&task->future, NULL);
  } else
    fut_task_drop(task, FUT_EBROKENTHREADS,
                  fut_executor_broken(&serial->executor));
  if (go)
    fut_serial_watch_end(&serial->watch, &watched);
}

/* Run the task with what tasks share. One that submits to its own executor
   finds that taken, and another is opened for the inner one. */
static void serve(struct serial *serial, fut_task *task) {
  struct share *share = serial->share;
  serial->share = NULL;
  if (share == NULL && serial->worker_ops)
    share = new_share();
  if (share == NULL) {
    run(serial, task, NULL, NULL);
    return;
  }
  attempt(serial, task, share);
  close_local(serial, serial->share); /* of an inner task */
  serial->share = share;
  if (++share->ran >= serial->max_tasks || share->report.worn ||
      atomic_load(&serial->closed)) {
    serial->share = NULL;
    close_local(serial, share);
  }
}

static void give_up_share(struct serial *serial) {
  struct share *share = serial->share;
  serial->share = NULL;
  close_local(serial, share);
}

static fut_err serial_submit(fut_executor *executor, fut_task *task) {
  struct serial *serial = (struct serial *)executor;
  if (!owned(serial))
    return fut_executor_refuse(task, FUT_EELSEWHERE);
  if (atomic_load(&serial->closed))
    return fut_executor_refuse(task, FUT_ESHUTDOWN);
  if (task->timeout != FUT_NEVER &&
      (serial->worker_ops == NULL || serial->worker_ops->interrupt == NULL))
    return fut_executor_refuse(task, FUT_EUNTIMED);
  serve(serial, task);
  return FUT_OK;
}

static void serial_shutdown(fut_executor *executor, bool cancel_futures) {
  struct serial *serial = (struct serial *)executor;
  (void)cancel_futures; /* nothing waits */
  atomic_store(&serial->closed, true);
  if (owned(serial))
    give_up_share(serial);
  fut_future_end(executor->terminated, FUT_FINISHED);
}

static bool serial_inside(fut_executor *executor) {
  struct serial *serial = (struct serial *)executor;
  return owned(serial) && serial->stats.running > 0;
}

static void serial_join(fut_executor *executor) { (void)executor; }

static void serial_stats(fut_executor *executor, fut_executor_stats *stats) {
  struct serial *serial = (struct serial *)executor;
  if (owned(serial))
    *stats = serial->stats;
  stats->workers = !atomic_load(&serial->closed);
  stats->idle = stats->workers && stats->running == 0;
}

static bool serial_memory(fut_executor *executor, unsigned worker,
                          size_t *bytes) {
  struct serial *serial = (struct serial *)executor;
  if (worker > 0 || !owned(serial) || serial->share == NULL ||
      serial->share->local == NULL)
    return false;
  *bytes = atomic_load(&serial->share->report.memory);
  return true;
}

static void serial_free(fut_object *object) {
  struct serial *serial = (struct serial *)object;
  fut_executor *executor = &serial->executor;
  serial_shutdown(executor, false);
  give_up_share(serial); /* the last one to hold it is the only one to use it */
  if (!fut_executor_forked(executor))
    fut_serial_watch_fini(&serial->watch);
  if (serial->environment)
    fut_object_release(serial->environment);
  fut_executor_fini(executor);
  fut_memory_free(serial);
}

static const fut_executor_ops serial_ops = {
    .object = {"serial executor", serial_free},
    .submit = serial_submit,
    .shutdown = serial_shutdown,
    .join = serial_join,
    .stats = serial_stats,
    .memory = serial_memory,
    .inside = serial_inside,
    .broken = FUT_EBROKENTHREADS};

fut_err fut_serial_new(const fut_pool_options *options,
                       const fut_worker_ops *ops, fut_executor **executor) {
  struct serial *serial = fut_memory_new(sizeof *serial);
  if (serial == NULL)
    return FUT_ENOMEM;
  fut_err err =
      fut_executor_init(&serial->executor, &serial_ops, FUT_UNLIMITED);
  if (err != FUT_OK) {
    fut_memory_free(serial);
    return err;
  }
  /* a task that waits for one of this executor waits in vain, but until its
     deadline or an interrupt */
  serial->runner = (fut_runner){&fut_runner_alone, &serial->executor, 1};
  serial->owner = pthread_self();
  serial->worker_ops = ops;
  serial->environment = options->environment;
  if (serial->environment)
    fut_object_hold(serial->environment);
  serial->max_tasks = options->max_tasks_per_child;
  serial->share = NULL;
  fut_serial_watch_init(&serial->watch);
  serial->wanted = NULL;
  serial->context = NULL;
  serial->stats = (fut_executor_stats){.workers = 0};
  atomic_init(&serial->closed, false);
  *executor = &serial->executor;
  return FUT_OK;
}

void fut_serial_attend(fut_executor *executor, fut_attention *wanted,
                       void *context) {
  struct serial *serial = (struct serial *)executor;
  if (owned(serial)) {
    serial->wanted = wanted;
    serial->context = context;
  }
}

bool fut_serial_is(const fut_executor *executor) {
  return executor->object.kind == &serial_ops.object;
}
