/* threads.h - the workers of a thread pool: what they are and how they live

   For the files of the thread pool alone: threads.c has the workers' lives,
   thread_search.c how they find tasks, thread_worker.c what they do with them,
   thread_nest.c what they do inside of a task, thread_stop.c how all that is
   stopped, thread_pool.c the executor. */
#ifndef FUT_THREADS_H
#define FUT_THREADS_H

#include "idle.h"
#include "interruption.h"
#include "link.h"
#include "queue.h"
#include "spin.h"
#include "thread.h"
#include "thread_pool.h"
#include "timer.h"

#define FUT_THREADS_NAME 32
#define FUT_TASK_NAME 64 /* bytes of a task's name that stats tell */

typedef struct fut_threads fut_threads;

/* What is with the place of a worker. */
typedef enum fut_place {
  FUT_PLACE_VACANT, /* its worker has ended, another may be started in it */
  FUT_PLACE_ALIVE,
  FUT_PLACE_ADRIFT, /* its task was given up, and it ends when that returns */
  FUT_PLACE_ENDED   /* for good */
} fut_place;

/* Why a task is being stopped. */
typedef enum fut_stop {
  FUT_STOP_NOT,
  FUT_STOP_CANCEL, /* somebody has cancelled it */
  FUT_STOP_TIMEOUT /* it has run for too long */
} fut_stop;

/* What a worker has done; written by it alone. */
typedef struct fut_tally {
  _Atomic uint64_t completed, failed, stopped; /* atomic, relaxed, as all */
  _Atomic uint64_t skipped;                    /* found cancelled */
  _Atomic uint64_t queue_time, run_time;       /* ns */
  atomic_uint busy;                            /* tasks that it runs */
} fut_tally;

/* A task inside of which its worker runs another one. */
typedef struct fut_outer {
  struct fut_outer *outer; /* guarded by the lock of timers, as all */
  fut_task *task;          /* held by whoever runs it */
  fut_stop stop;
  fut_deadline asked; /* when it was asked to stop */
  bool given_up;      /* its future has ended without it */
} fut_outer;

/* A worker and its place, which is used again when it has ended. */
typedef struct fut_worker {
  fut_runner base; /* as its tasks know it */
  fut_link link;
  fut_sleeper sleeper;
  fut_spin spin;            /* worker only */
  bool searching;           /* worker only: counted in idle.searching */
  bool leaving;             /* worker only: ends, but another may be needed */
  fut_deadline since;       /* worker only: when it last took a batch */
  fut_deadline coarse;      /* worker only: the same by the coarse clock */
  unsigned ran;             /* worker only: tasks taken since, that one too */
  fut_deadline patrolled;   /* worker only: when it last looked at links */
  atomic_uint seen;         /* atomic: how far its link was at a patrol */
  fut_worker_local *local;  /* worker only, and its signal handler */
  size_t tasks;             /* worker only: run since local was opened */
  fut_worker_report report; /* of local */
  fut_tally tally;
  _Atomic(fut_task *) running; /* atomic: what it runs, or NULL; to compare
                                  only, but see thread_stop.c; the innermost */
  fut_interruption interruption;
  fut_timer timer;           /* of the task that runs */
  fut_stop stop;             /* guarded by the lock of timers, as below */
  fut_deadline asked;        /* when it was asked to stop */
  fut_deadline acknowledged; /* when that was first seen, or 0 */
  fut_deadline pause;        /* until the next signal */
  bool given_up;             /* its task has ended without it */
  bool adrift;               /* so has this or another one: it is to end */
  fut_outer *outer;          /* the task that this one runs inside of */
  fut_threads *threads;      /* set once; while it runs a reference */
  fut_thread thread;         /* guarded by the threads's mutex, as below */
  bool joinable;
  fut_place place;
  char task_name[FUT_TASK_NAME]; /* of the task that it runs; empty: none */
} fut_worker;

/* The pool. */
struct fut_threads {
  fut_executor executor;
  fut_queue *queue; /* set once */
  char apart[64];
  fut_idle idle; /* changes with every batch */
  char apart_again[64];
  unsigned max_workers; /* set once, as all below */
  char name[FUT_THREADS_NAME];
  size_t max_tasks_per_child;
  fut_deadline idle_timeout;
  fut_object *environment;          /* may be NULL */
  const fut_worker_ops *worker_ops; /* may be NULL */
  fut_mutex mutex;
  unsigned alive;       /* guarded by mutex: places that are so */
  unsigned adrift;      /* guarded by mutex: places that are so */
  atomic_uint vacant;   /* atomic, changed under mutex: places that are so */
  atomic_bool halted;   /* atomic: all that runs is to stop */
  atomic_bool given_up; /* atomic: what waits is cancelled */
  atomic_size_t finished, stopped; /* atomic: tasks that ended so after they
                                      were asked to stop, and no tally has */
  atomic_size_t dropped; /* atomic: tasks taken by no worker, as cancelled */
  atomic_size_t nested;  /* atomic: tasks run inside of others, out of turn */
  atomic_uint keepers;   /* atomic: threads, and 1 for all owners */
  atomic_uint places;    /* atomic, changed under mutex: ever used */
  _Atomic(fut_worker *) workers[]; /* atomic: the first `places` are set; they
                                stay until the pool goes. One for each worker,
                                for each that takes the place of a blocked one
                                and for each that may be adrift */
};

/* --- threads.c --- */

/* See that somebody searches, after publishing a task. An error says that no
   worker could be started and what waited was cancelled. Any thread. */
fut_err fut_threads_wake(fut_threads *threads);

/* End `terminated` if no worker runs, nor will. Any thread. */
void fut_threads_settle(fut_threads *threads);

/* Do without a worker whose task was given up: another may be started in its
   stead. It was alive. Any thread. */
void fut_threads_cast_off(fut_worker *worker);

/* Break the pool: what waits fails, what runs goes on. Any thread. */
void fut_threads_break(fut_threads *threads, const char *message);

/* Cancel all tasks that wait, and let go of them. Any thread. */
void fut_threads_cancel(fut_threads *threads);

/* Let go of a task that was taken from a pool that is broken. Any thread. */
void fut_threads_fail(fut_threads *threads, fut_task *task);

/* Shut the pool down if nobody has a handle and no worker is awake. Any
   thread. */
void fut_threads_close_abandoned(fut_threads *threads);

/* Join every thread that can be joined but the calling one. */
void fut_threads_join(fut_threads *threads);

/* Keep the pool no longer, as an owner or a worker. */
void fut_threads_leave(fut_threads *threads);

/* --- thread_search.c --- */

/* Whether there is a task to take anywhere. Any thread. */
bool fut_threads_more(fut_threads *threads);

/* Take a task that another worker than thief has taken ahead, or NULL. NULL
   for a thief that is none. */
fut_task *fut_threads_steal(fut_threads *threads, const fut_worker *thief);

/* Return the next task, or NULL when the worker is to end. Blocks. */
fut_task *fut_worker_next(fut_worker *worker);

/* --- thread_worker.c --- */

/* What a worker's thread does. */
void fut_worker_main(void *worker);

/* Run a task that the worker has started, and end its future. Worker only. */
void fut_worker_perform(fut_worker *worker, fut_task *task);

/* --- thread_nest.c --- */

/* What fut_runner.kind of a worker is. */
extern const fut_runner_kind fut_worker_runner;

/* --- thread_stop.c --- */

/* As the functions of an executor, of the same names. */
bool fut_threads_stop(fut_executor *executor, fut_task *task);
void fut_threads_halt(fut_executor *executor);

/* The time of the task that the worker has just started begins to count. False
   if it cannot be watched. Worker only. */
bool fut_worker_watch(fut_worker *worker, fut_task *task);

/* It has ended in time. Worker only. */
void fut_worker_unwatch(fut_worker *worker);

/* The task would have ended in a state, but somebody has asked it to stop: end
   its future, unless it was given up, and count it. Worker only. */
void fut_worker_settle(fut_worker *worker, fut_task *task, fut_state state);

/* From now on the worker runs a task inside of the running one, or (leave) the
   outer one again, which is stopped then if it was asked to meanwhile. False,
   and nothing done, if it is not to: see fut_runner_run(). Worker only. */
bool fut_worker_enter(fut_worker *worker, fut_outer *outer, fut_task *task);
void fut_worker_leave(fut_worker *worker, fut_outer *outer);

/* What fut_timer.due of a worker is. */
void fut_worker_due(fut_timer *timer);

/* What fut_interruption.arrived of a worker is. */
void fut_worker_interrupted(void *worker);

#endif
