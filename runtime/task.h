/* task.h - something to run once on a worker, and the future of its outcome */
#ifndef FUT_TASK_H
#define FUT_TASK_H

#include "clock.h"
#include "error.h"
#include "future.h"

#include <stdint.h>

typedef struct fut_task fut_task;
struct fut_executor;

/* What a task is called with, as bytes; they stay until its end. */
typedef struct fut_call {
  const char *name; /* NULL: none */
  const unsigned char *bytes;
  size_t size;
} fut_call;

/* What a worker keeps for the tasks that run on it: a Lua state, say. */
typedef struct fut_worker_local fut_worker_local;

/* What has become of what a task that is many has lent (below), but for what
   was delivered. */
typedef struct fut_lent {
  unsigned started;    /* so many were begun; those not delivered: */
  fut_err why;         /* have failed for this reason, FUT_OK: were cancelled */
  const char *message; /* ... borrowed; NULL: that of why */
  int64_t took;        /* ns that they took; 0: not known */
} fut_lent;

typedef struct fut_task_kind {
  fut_future_kind future;
  /* Do it, with the future RUNNING, and return how that is to end: FINISHED or
     FAILED with the outcome written, CANCELLED if it was stopped before. local
     is what the pool opened for this worker, NULL if it could not. Worker
     only. */
  fut_state (*run)(fut_task *task, fut_worker_local *local);
  /* Fail a task that is RUNNING, whose outcome nobody else will write: fill
     that in and end the future FAILED. why tells the class of the error;
     message is copied, NULL for that of why. Any thread. */
  void (*fail)(fut_task *task, fut_err why, const char *message);
  /* Write down such an outcome of a task that still runs and will not notice,
     apart from all that run may touch, to be read once the future has been
     abandoned. Any thread. Never blocks. */
  void (*abandon)(fut_task *task, fut_err why);
  /* For executors whose workers are elsewhere: say what is to be called. NULL:
     the task cannot go there. Borrowed. */
  fut_call (*call)(const fut_task *task);
  /* The same: let go of the call and return where the outcome, of so many
     bytes, is to be written before the future ends; NULL: no memory. Requires
     that the task is RUNNING, and the caller alone has it. */
  unsigned char *(*outcome)(fut_task *task, size_t size);
  /* For tasks that are many, on such executors; with locks of theirs held, so
     none may wait for anything. */
  /* Lend some of the things that are left, at most FUT_LENT_LIMIT: return how
     many call() then tells of. What was lent and not settled is so again. 0:
     nothing is left. */
  unsigned (*lend)(fut_task *task);
  /* Of what is lent, the things from that one on will not be begun: they are to
     be lent anew. */
  void (*recall)(fut_task *task, unsigned from);
  /* Whether nobody wants to have done what is lent. */
  bool (*unwanted)(const fut_task *task);
  /* So many more of what is lent have ended, and have left these frames
     (segment.h), which may be nonsense. */
  void (*deliver)(fut_task *task, unsigned things, const unsigned char *frames,
                  size_t size);
  /* Nothing is lent any more: this is what has become of it. */
  void (*settle)(fut_task *task, const fut_lent *lent);
} fut_task_kind;

enum { FUT_LENT_LIMIT = 4096 };

/* Embedded as the first member of a block of the submitter's arena. Whoever
   starts or cancels the future decides whether the task runs. */
struct fut_task {
  fut_future future;
  fut_task *next;  /* guarded by whatever holds the task: a list, or a heap's
                      next sibling */
  fut_task *child; /* guarded by the heap that holds the task */
  uint64_t order;  /* set by the queue: smaller was submitted earlier */
  double priority; /* set before submit: larger starts earlier; not NaN */
  fut_deadline timeout;   /* set before submit: ns that it may run, FUT_NEVER */
  fut_deadline submitted; /* set by submit, by the coarse clock */
  struct fut_executor *executor; /* set by submit: a reference; NULL before */
  atomic_bool counted; /* atomic: among the tasks that wait (room.h) */
  unsigned place;      /* guarded by the executor: where it is, 0 in a queue */
  bool named;          /* set before submit: call() of its kind says its name */
  bool many; /* set before submit: it stands for many things to do, and as long
                as some are left another follows in its place (again) */
};

static inline void fut_task_init(fut_task *task, const fut_task_kind *kind,
                                 fut_arena *arena) {
  fut_future_init(&task->future, &kind->future, arena);
  task->next = task->child = NULL;
  task->order = 0;
  task->priority = 0;
  task->timeout = FUT_NEVER;
  task->submitted = 0;
  task->executor = NULL;
  atomic_init(&task->counted, false);
  task->place = 0;
  task->named = task->many = false;
}

static inline const fut_task_kind *fut_task_kind_of(const fut_task *task) {
  return (const fut_task_kind *)(const void *)task->future.object.kind;
}

/* Let go of the executor; for the fini of a kind. Any thread. */
void fut_task_fini(fut_task *task);

/* Fail a task that has not started, unless it was cancelled, and give up the
   queue's reference. As fail of its kind. */
void fut_task_drop(fut_task *task, fut_err why, const char *message);

/* Run the task unless it was cancelled or started elsewhere, and give up the
   queue's reference; nobody can stop it meanwhile. Worker only. */
void fut_task_run(fut_task *task, fut_worker_local *local);

#endif
