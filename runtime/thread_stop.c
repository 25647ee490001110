/* thread_stop.c - how a task that runs on a worker of a thread pool is stopped

   Whoever wants a task to stop asks its future, which excludes the end of the
   task by one atomic step, and sends the worker's thread a signal. Signals can
   be lost against what the task does at that moment, so they are repeated, ever
   more rarely, until it has ended; while it cleans up (`acknowledged`) it is
   left alone for a while.

   All that happens under the lock of the timers. A worker that finds its task
   asked takes that lock as well, and lets signals that were sent arrive, before
   it goes on: so no signal hits the next task, and `running` still names the
   task, and the task is there, while somebody under the lock sees that it was
   asked. A worker that watches the time of a task unsets its timer before it
   lets go of the task, with the same effect.

   A task that has not ended a second later is stuck where nothing stops it. Its
   future is ended without it, and its worker cast off.

   Tasks run inside of others (thread_nest.c), and only the innermost one, which
   is `running`, can be stopped at once. An outer one that is asked is stopped
   when it runs again, or given up a second later; what runs inside of it then
   goes on all the same, on a worker that is cast off. */
#include "threads.h"

#include "check.h"

#include <stdio.h>

#define FIRST_PAUSE_NS 1000000  /* between the first signals */
#define LAST_PAUSE_NS 100000000 /* and the later ones */
#define GRACE_NS 100000000      /* for a task that cleans up */
#define PATIENCE_NS 1000000000  /* after which a task is given up */

void fut_worker_interrupted(void *argument) {
  fut_worker *worker = argument;
  fut_worker_local *local = worker->local;
  if (local && worker->threads->worker_ops->interrupt)
    worker->threads->worker_ops->interrupt(local);
}

/* Send the next signal, and see that others follow. Assumes the lock held. */
static void press(fut_worker *worker) {
  fut_deadline now = fut_clock_now();
  if (worker->pause < FIRST_PAUSE_NS)
    worker->pause = FIRST_PAUSE_NS;
  fut_deadline next = now + worker->pause;
  if (atomic_load(&worker->report.acknowledged) && worker->acknowledged == 0)
    worker->acknowledged = now;
  if (worker->acknowledged && now - worker->acknowledged < GRACE_NS)
    next = worker->acknowledged + GRACE_NS;
  else
    fut_interruption_send(&worker->interruption);
  if (worker->pause < LAST_PAUSE_NS)
    worker->pause *= 2;
  if (worker->stop != FUT_STOP_NOT && next > worker->asked + PATIENCE_NS)
    next = worker->asked + PATIENCE_NS;
  fut_timer_set(&worker->timer, next); /* without, this signal must do */
}

static void press_first(fut_worker *worker) {
  worker->asked = fut_clock_now();
  worker->acknowledged = 0;
  worker->pause = FIRST_PAUSE_NS;
  atomic_store(&worker->report.acknowledged, false);
  atomic_store(&worker->report.asked, true);
  press(worker);
}

/* Ask the task, which the worker runs, to stop. Assumes the lock held. */
static bool ask(fut_worker *worker, fut_task *task, fut_stop why) {
  if (!fut_future_ask(&task->future))
    return false;
  bool first = worker->stop == FUT_STOP_NOT;
  if (first || why == FUT_STOP_CANCEL)
    worker->stop = why;
  if (first)
    press_first(worker);
  return true;
}

/* Return the task of the worker that is the given one and not the innermost, or
   NULL. Assumes the lock held. */
static fut_outer *find_outer(const fut_worker *worker, const fut_task *task) {
  fut_outer *outer = worker->outer;
  while (outer && outer->task != task)
    outer = outer->outer;
  return outer;
}

/* See that outer tasks that were asked are given up in time. Assumes the lock
   held. */
static void watch_outer(fut_worker *worker) {
  fut_deadline first = FUT_NEVER;
  for (fut_outer *outer = worker->outer; outer; outer = outer->outer)
    if (outer->stop != FUT_STOP_NOT && !outer->given_up &&
        outer->asked + PATIENCE_NS < first)
      first = outer->asked + PATIENCE_NS;
  if (first != FUT_NEVER &&
      (!worker->timer.set || first < worker->timer.deadline))
    fut_timer_set(&worker->timer, first); /* without, it will not be */
}

/* As ask(). */
static bool ask_outer(fut_worker *worker, fut_outer *outer) {
  if (!fut_future_ask(&outer->task->future))
    return false;
  if (outer->stop == FUT_STOP_NOT)
    outer->asked = fut_clock_now();
  outer->stop = FUT_STOP_CANCEL;
  watch_outer(worker);
  return true;
}

/* Ask the task on whichever worker has it. Assumes the lock held. */
static bool ask_anywhere(fut_threads *threads, fut_task *task) {
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count; i++) {
    fut_worker *worker = atomic_load(&threads->workers[i]);
    if (atomic_load(&worker->running) == task)
      return ask(worker, task, FUT_STOP_CANCEL);
    fut_outer *outer = find_outer(worker, task);
    if (outer)
      return ask_outer(worker, outer);
  }
  /* it may be just about to end for having been asked */
  return fut_future_asked(&task->future);
}

bool fut_threads_stop(fut_executor *executor, fut_task *task) {
  fut_timer_lock();
  bool asked = ask_anywhere((fut_threads *)executor, task);
  fut_timer_unlock();
  return asked || fut_future_state(&task->future) == FUT_CANCELLED;
}

void fut_threads_halt(fut_executor *executor) {
  fut_threads *threads = (fut_threads *)executor;
  fut_timer_lock();
  atomic_store(&threads->halted, true);
  unsigned count = atomic_load(&threads->places);
  for (unsigned i = 0; i < count; i++) {
    fut_worker *worker = atomic_load(&threads->workers[i]);
    /* whatever runs there now or later: the task itself is not touched, it may
       be gone at any moment */
    if (worker->stop == FUT_STOP_NOT && atomic_load(&worker->running))
      press_first(worker);
  }
  fut_timer_unlock();
}

bool fut_worker_watch(fut_worker *worker, fut_task *task) {
  fut_timer_lock();
  fut_err err = FUT_OK;
  if (task->timeout > 0)
    err = fut_timer_set(&worker->timer, fut_clock_now() + task->timeout);
  else
    ask(worker, task, FUT_STOP_TIMEOUT);
  fut_timer_unlock();
  return err == FUT_OK;
}

void fut_worker_unwatch(fut_worker *worker) {
  fut_timer_lock();
  fut_timer_unset(&worker->timer);
  fut_timer_unlock();
}

/* Do without the worker. Assumes the lock held. */
static void cast_off(fut_worker *worker) {
  if (worker->adrift)
    return;
  worker->adrift = true;
  fut_threads_cast_off(worker);
}

/* Give up the outer tasks whose time is over. Assumes the lock held. */
static void give_up_outer(fut_worker *worker) {
  fut_deadline now = fut_clock_now();
  for (fut_outer *outer = worker->outer; outer; outer = outer->outer) {
    if (outer->stop == FUT_STOP_NOT || outer->given_up ||
        now - outer->asked < PATIENCE_NS)
      continue;
    outer->given_up = true;
    atomic_fetch_add(&worker->threads->stopped, 1);
    /* it cannot end while another task runs inside of it */
    CHECK(fut_future_abandon(&outer->task->future, FUT_CANCELLED));
    cast_off(worker);
  }
}

/* End the future of a task that is stuck, and do without the worker. Assumes
   the lock held. */
static void give_up(fut_worker *worker, fut_task *task) {
  fut_threads *threads = worker->threads;
  fut_state state = FUT_CANCELLED;
  if (worker->stop == FUT_STOP_TIMEOUT) {
    fut_task_kind_of(task)->abandon(task, FUT_ETIMEDOUT);
    state = FUT_FAILED;
  }
  worker->given_up = true;
  atomic_store(&worker->running, NULL);
  atomic_fetch_add(
      state == FUT_FAILED ? &threads->executor.failed : &threads->stopped, 1);
  /* only the worker could have ended it, and would have come here first */
  CHECK(fut_future_abandon(&task->future, state));
  cast_off(worker);
}

void fut_worker_due(fut_timer *timer) {
  fut_worker *worker =
      (fut_worker *)(void *)((char *)timer - offsetof(fut_worker, timer));
  give_up_outer(worker);
  fut_task *task = atomic_load(&worker->running);
  if (task == NULL)
    ; /* halted, and it has ended */
  else if (worker->stop != FUT_STOP_NOT) {
    if (fut_clock_now() - worker->asked >= PATIENCE_NS)
      give_up(worker, task);
    else
      press(worker);
  } else if (atomic_load(&worker->threads->halted)) {
    if (!atomic_load(&worker->report.asked))
      press_first(worker);
    else if (fut_clock_now() - worker->asked < PATIENCE_NS)
      press(worker);
  } else if (worker->outer == NULL) /* those inside have no time limit */
    ask(worker, task, FUT_STOP_TIMEOUT);
  watch_outer(worker);
}

void fut_worker_settle(fut_worker *worker, fut_task *task, fut_state state) {
  fut_executor *executor = &worker->threads->executor;
  fut_timer_lock();
  fut_timer_unset(&worker->timer);
  bool timed_out = worker->stop == FUT_STOP_TIMEOUT;
  worker->stop = FUT_STOP_NOT;
  bool given_up = worker->given_up;
  atomic_store(&worker->report.asked, atomic_load(&worker->threads->halted));
  atomic_store(&worker->running, NULL);
  fut_timer_unlock();
  fut_interruption_absorb();
  if (given_up)
    return;
  if (state == FUT_CANCELLED && timed_out) {
    atomic_fetch_add(&executor->failed, 1);
    fut_task_kind_of(task)->fail(task, FUT_ETIMEDOUT, NULL);
    return;
  }
  atomic_fetch_add(state == FUT_FINISHED ? &worker->threads->finished
                   : state == FUT_FAILED ? &executor->failed
                                         : &worker->threads->stopped,
                   1);
  CHECK(fut_future_end(&task->future, state));
}

bool fut_worker_enter(fut_worker *worker, fut_outer *outer, fut_task *task) {
  fut_timer_lock();
  fut_task *running = atomic_load(&worker->running);
  bool enters = running && worker->stop == FUT_STOP_NOT && !worker->adrift &&
                !atomic_load(&worker->threads->halted) &&
                running->timeout == FUT_NEVER && task->timeout == FUT_NEVER;
  if (enters) {
    *outer = (fut_outer){.outer = worker->outer, .task = running};
    worker->outer = outer;
    atomic_store(&worker->running, task);
  }
  fut_timer_unlock();
  return enters;
}

void fut_worker_leave(fut_worker *worker, fut_outer *outer) {
  fut_timer_lock();
  bool halted = atomic_load(&worker->threads->halted);
  fut_timer_unset(&worker->timer);
  worker->outer = outer->outer;
  worker->stop = outer->given_up ? FUT_STOP_NOT : outer->stop;
  worker->given_up = outer->given_up;
  atomic_store(&worker->running, outer->given_up ? NULL : outer->task);
  if (!outer->given_up && (outer->stop != FUT_STOP_NOT || halted))
    press_first(worker);
  else
    atomic_store(&worker->report.asked, outer->given_up || halted);
  watch_outer(worker);
  fut_timer_unlock();
}
