/* thread_worker.c - what a worker of a thread pool does with the tasks it finds
 */
#include "threads.h"

#include "memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Add to a figure that only this worker changes. */
static void add(_Atomic uint64_t *figure, uint64_t more) {
  /* relaxed: a figure of its own */
  uint64_t sum = atomic_load_explicit(figure, memory_order_relaxed) + more;
  atomic_store_explicit(figure, sum, memory_order_relaxed);
}

static _Atomic uint64_t *figure_of(fut_tally *tally, fut_state state) {
  return state == FUT_FINISHED ? &tally->completed
         : state == FUT_FAILED ? &tally->failed
                               : &tally->stopped;
}

static void count_busy(fut_worker *worker, bool one_more) {
  /* relaxed: a figure of its own */
  unsigned busy =
      atomic_load_explicit(&worker->tally.busy, memory_order_relaxed);
  atomic_store_explicit(&worker->tally.busy, one_more ? busy + 1 : busy - 1,
                        memory_order_relaxed);
}

/* A task of this worker is about to end: whoever sees that sees the count. One
   that is many counts by itself what it stands for. */
static void count_end(fut_worker *worker, const fut_task *task,
                      fut_state state) {
  add(figure_of(&worker->tally, state), !task->many);
  count_busy(worker, false);
}

/* Note that a task has started, and how long it has waited. */
static void count_wait(fut_worker *worker, const fut_task *task) {
  fut_deadline waited = worker->coarse - task->submitted;
  if (waited > 0)
    add(&worker->tally.queue_time, (uint64_t)waited);
}

static void close_local(fut_worker *worker) {
  fut_worker_local *local = worker->local;
  if (local == NULL)
    return;
  worker->local = NULL; /* its signal handler leaves it alone */
  atomic_signal_fence(memory_order_seq_cst);
  worker->threads->worker_ops->close(local);
  atomic_store(&worker->report.memory, 0);
}

/* Make local, before the task: FUT_EINTR if that was stopped. What it takes can
   be stopped as the task is later, though nobody asks its future. */
static fut_err open_local(fut_worker *worker, fut_task *task, char **why) {
  fut_threads *threads = worker->threads;
  atomic_store(&worker->running, task);
  /* only then: fut_threads_halt() looks at both the other way round */
  if (atomic_load(&threads->halted))
    return FUT_EINTR;
  return threads->worker_ops->open(threads->environment, &worker->base,
                                   &worker->report, &worker->local, why);
}

/* See that local is fit for a task. False if there is nothing to run it with:
   the pool is broken, or all is to stop. */
static bool renew_local(fut_worker *worker, fut_task *task) {
  fut_threads *threads = worker->threads;
  if (worker->local &&
      (worker->report.worn || worker->tasks >= threads->max_tasks_per_child))
    close_local(worker);
  if (worker->local == NULL && threads->worker_ops) {
    worker->report.worn = worker->report.untidy = false;
    worker->tasks = 0;
    char *why = NULL;
    fut_err err = open_local(worker, task, &why);
    if (err != FUT_OK) {
      atomic_store(&worker->running, NULL);
      fut_worker_unwatch(worker);
      fut_interruption_absorb();
    }
    if (err == FUT_EINTR)
      return false;
    if (err != FUT_OK && err != FUT_ENOMEM)
      fut_threads_break(threads, why ? why : fut_err_message(err));
    fut_memory_free(why);
  }
  return fut_executor_broken(&threads->executor) == NULL;
}

/* Say what the task that the worker runs is called; swap it with the name of
   the one that it ran before. */
static void swap_name(fut_worker *worker, char *name) {
  char before[FUT_TASK_NAME];
  fut_mutex_lock(&worker->threads->mutex);
  memcpy(before, worker->task_name, sizeof before);
  memcpy(worker->task_name, name, sizeof before);
  fut_mutex_unlock(&worker->threads->mutex);
  memcpy(name, before, sizeof before);
}

/* Run a task that has a name, which others can see meanwhile. */
static fut_state run_named(fut_worker *worker, fut_task *task) {
  const fut_task_kind *kind = fut_task_kind_of(task);
  char name[FUT_TASK_NAME];
  snprintf(name, sizeof name, "%s", kind->call(task).name);
  swap_name(worker, name);
  fut_state state = kind->run(task, worker->local);
  swap_name(worker, name);
  return state;
}

void fut_worker_perform(fut_worker *worker, fut_task *task) {
  const fut_task_kind *kind = fut_task_kind_of(task);
  bool timed = task->timeout != FUT_NEVER;
  count_busy(worker, true);
  count_wait(worker, task);
  if (timed && !fut_worker_watch(worker, task)) {
    count_end(worker, task, FUT_FAILED);
    kind->fail(task, FUT_ETHREAD, "cannot watch the time limit of the task");
    return;
  }
  worker->tasks++;
  fut_state state =
      task->named ? run_named(worker, task) : kind->run(task, worker->local);
  if (fut_executor_forked(&worker->threads->executor))
    _exit(0); /* the task forked, and this is the child: see design.md */
  count_end(worker, task, state);
  if (!fut_future_end_unasked(&task->future, state)) {
    add(figure_of(&worker->tally, state), task->many ? 0 : UINT64_MAX);
    fut_worker_settle(worker, task, state);
  } else if (timed)
    fut_worker_unwatch(worker);
}

/* There is nothing to run the task with: give up the queue's reference. */
static void drop(fut_worker *worker, fut_task *task) {
  fut_threads *threads = worker->threads;
  atomic_store(&worker->running, NULL);
  if (fut_executor_broken(&threads->executor)) {
    fut_threads_fail(threads, task);
    return;
  }
  fut_task_cancel(task);
  add(&worker->tally.skipped, !task->many);
  fut_future_release(&task->future, NULL);
}

/* Run the task unless it was cancelled, and give up the queue's reference. */
static void run(fut_worker *worker, fut_task *task) {
  fut_threads *threads = worker->threads;
  bool worn = worker->report.worn || worker->local == NULL ||
              worker->tasks >= threads->max_tasks_per_child;
  if ((worn && !renew_local(worker, task)) ||
      fut_executor_broken(&threads->executor)) {
    drop(worker, task);
    return;
  }
  fut_task_left(task);
  /* relaxed: published by the start of the future */
  atomic_store_explicit(&worker->running, task, memory_order_relaxed);
  if (fut_future_start(&task->future)) {
    fut_worker_perform(worker, task);
    atomic_store_explicit(&worker->running, NULL, memory_order_relaxed);
    if (worker->local && !worker->adrift && threads->worker_ops->settle)
      threads->worker_ops->settle(worker->local);
  } else {
    atomic_store_explicit(&worker->running, NULL, memory_order_relaxed);
    add(&worker->tally.skipped, 1);
  }
  fut_future_release(&task->future, NULL);
}

/* The worker has left the pool: it is used no more by this thread. */
static void vacate(fut_worker *worker) {
  fut_threads *threads = worker->threads;
  fut_mutex_lock(&threads->mutex);
  if (worker->place == FUT_PLACE_ADRIFT) /* its thread was let go of before */
    threads->adrift--;
  else {
    threads->alive--;
    if (worker->leaving && !fut_queue_closed(threads->queue)) {
      fut_thread_detach(worker->thread);
      worker->joinable = false;
    }
  }
  bool left = worker->leaving;
  bool again = left || worker->place == FUT_PLACE_ADRIFT;
  worker->place = again ? FUT_PLACE_VACANT : FUT_PLACE_ENDED;
  atomic_fetch_add(&threads->vacant, again);
  fut_mutex_unlock(&threads->mutex);
  if (left) {
    fut_idle_grow(&threads->idle);
    if (fut_threads_more(threads))
      fut_threads_wake(threads);
    fut_threads_close_abandoned(threads);
  }
  fut_threads_settle(threads);
  fut_threads_leave(threads);
}

void fut_worker_main(void *argument) {
  fut_worker *worker = argument;
  fut_threads *threads = worker->threads;
  char name[FUT_THREADS_NAME + 16];
  snprintf(name, sizeof name, "%s-%u", threads->name, worker->base.number);
  fut_thread_name(name);
  fut_interruption_open(&worker->interruption, fut_worker_interrupted, worker);
  fut_spin_count(1);
  fut_task *task;
  while (!worker->adrift && (task = fut_worker_next(worker)) != NULL)
    run(worker, task);
  fut_worker_unwatch(worker); /* a signal that is being sent has been sent */
  fut_interruption_absorb();
  close_local(worker);
  fut_interruption_close(&worker->interruption);
  if (!worker->adrift)
    fut_spin_count(-1);
  vacate(worker);
}
