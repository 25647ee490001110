/* executor.h - what every pool offers: submit, shut down, say how it stands */
#ifndef FUT_EXECUTOR_H
#define FUT_EXECUTOR_H

#include "error.h"
#include "room.h"
#include "task.h"

typedef struct fut_executor fut_executor;

/* How an executor stands, as of some moment during the call. */
typedef struct fut_executor_stats {
  unsigned workers;    /* started and not ended */
  unsigned idle;       /* of those, without a task */
  size_t pending;      /* tasks not started and not cancelled */
  size_t running;      /* tasks started and not ended */
  uint64_t completed;  /* tasks that returned */
  uint64_t failed;     /* tasks that raised, or were made to fail */
  uint64_t cancelled;  /* tasks cancelled, before or after they started */
  uint64_t queue_time; /* ns that started tasks have waited, in all */
  uint64_t run_time;   /* ns that tasks have run, in all */
} fut_executor_stats;

/* What a kind of executor must do; see the functions below. */
typedef struct fut_executor_ops {
  fut_object_kind object; /* free ends it, on any thread, its workers too */
  fut_err (*submit)(fut_executor *executor, fut_task *task);
  void (*shutdown)(fut_executor *executor, bool cancel_futures);
  void (*join)(fut_executor *executor);
  /* There is no handle any more (handle.h): shut down as soon as there is
     nothing left to do. NULL: now. */
  void (*abandon)(fut_executor *executor);
  void (*stats)(fut_executor *executor, fut_executor_stats *stats);
  bool (*memory)(fut_executor *executor, unsigned worker, size_t *bytes);
  bool (*name)(fut_executor *executor, unsigned number, char *name,
               size_t size); /* NULL: none */
  /* What stop() does once the task has not been cancelled before its start.
     NULL: running tasks cannot be stopped. */
  bool (*stop)(fut_executor *executor, fut_task *task);
  void (*halt)(fut_executor *executor);   /* NULL: nothing */
  bool (*inside)(fut_executor *executor); /* NULL: never */
  /* Bring the future of a task up to date with what became of it elsewhere, or
     (cancel) cancel it if it has not started; NULL: it always is. */
  void (*look)(fut_executor *executor, fut_task *task, bool cancel);
  /* Somebody has begun to watch the future of a task; NULL: nothing to do. */
  void (*watch)(fut_executor *executor, fut_task *task);
  /* Send a signal to every worker that is a process; NULL: none is. */
  void (*kill)(fut_executor *executor, int signal);
  /* See below; NULL: tasks that are many are not taken. */
  void (*again)(fut_executor *executor, fut_task *task);
  unsigned (*demands)(fut_executor *executor, double priority);
  void (*prune)(fut_executor *executor); /* NULL: demands() tells it all */
  void (*expect)(fut_executor *executor, bool more); /* NULL: nothing to do */
  uint64_t (*shelve)(fut_executor *executor, const unsigned char *bytes,
                     size_t size); /* NULL: there is no shelf */
  fut_err broken; /* what submit returns once the executor is broken */
} fut_executor_ops;

/* Embedded as the first member. Counted: owners, and every task submitted
   until its memory is let go. */
struct fut_executor {
  fut_object object;        /* its count changes twice a task ... */
  char apart[64];           /* ... and is not in the way of what follows */
  fut_object handle;        /* counts handles; see handle.h */
  bool handled;             /* set once: there were handles */
  fut_arena *arena;         /* of `terminated` and of vacancies; owned */
  fut_future *terminated;   /* set once; ends when no worker runs */
  unsigned generation;      /* set once: the fork generation it belongs to */
  uint64_t number;          /* set once: of no other in this process */
  fut_room room;            /* for tasks that wait */
  atomic_bool closed;       /* atomic: it was shut down */
  _Atomic(char *) breakage; /* atomic, set once: why it is broken; NULL: not */
  atomic_size_t cancelled;  /* atomic: tasks cancelled before their start */
  atomic_size_t failed;     /* atomic: tasks that were made to fail */
  unsigned max_workers;     /* set once; 0: the thread that submits does all */
  bool shares;              /* set once: takes tasks that are many (task.h) */
  atomic_size_t behind;     /* atomic: what tasks that are many stand for and
                               that has not started, them not counted */
  _Atomic uint64_t many_completed, many_failed, many_cancelled; /* atomic: what
                               has ended so of all that */
};

/* For kinds: stand at one reference; FUT_ENOMEM. */
fut_err fut_executor_init(fut_executor *executor, const fut_executor_ops *ops,
                          size_t max_pending);
void fut_executor_fini(fut_executor *executor);

/* For kinds: from now on submit returns ops->broken. The message is copied;
   the first one stays. The kind itself then fails what is unfinished. Return
   whether this call broke it. Any thread. */
bool fut_executor_break(fut_executor *executor, const char *message);

/* Return why the executor is broken, or NULL. Lives as long as it. */
const char *fut_executor_broken(const fut_executor *executor);

/* For kinds: let go of a task that was not taken; return err. */
fut_err fut_executor_refuse(fut_task *task, fut_err err);

/* Schedule a task. On FUT_EFULL nothing has happened, and the caller may try
   again when fut_executor_vacancy() has ended. Otherwise takes a reference; the
   caller who wants the future keeps another. On FUT_ESHUTDOWN, FUT_ETHREAD,
   FUT_ENOMEM, FUT_EFORKED and FUT_EBROKEN... the future is cancelled. Any
   thread. Never blocks. */
fut_err fut_executor_submit(fut_executor *executor, fut_task *task);

/* Whether the workers are elsewhere, and tasks go there by their call. */
bool fut_executor_far(const fut_executor *executor);

/* Return what submit would: FUT_OK, or why it takes no tasks. Any thread. */
fut_err fut_executor_refusal(const fut_executor *executor);

/* Put a task in front of all of its priority, shut down or not: what a task
   that is many (task.h) leaves to do. Takes the reference. Requires that a
   task of the executor is running on the calling thread, or lends, recalls or
   settles there. Never blocks. */
void fut_executor_again(fut_executor *executor, fut_task *task);

/* What a task that is many must heed before each thing that it does. */
enum {
  FUT_GIVE_UP = 1,  /* what has not started is not to be */
  FUT_GIVE_WAY = 2, /* something of a higher priority may be waiting */
};

/* Return which of these hold. Any thread. Never blocks. */
unsigned fut_executor_demands(fut_executor *executor, double priority);

/* Some of what tasks that are many have lent is not wanted any more: see that
   it is not begun. Any thread. Never blocks. */
void fut_executor_prune(fut_executor *executor);

/* One more waits, or one less, to be told of the things that tasks that are
   many have lent as soon as each has ended. Before the first look. Any thread.
   Never blocks. */
void fut_executor_expect(fut_executor *executor, bool more);

/* Count so many of the things that tasks that are many stand for as ended. Any
   thread. */
void fut_executor_count(fut_executor *executor, fut_state state,
                        uint64_t things);

/* Put bytes that calls would repeat where all workers can read them, if they
   are not there: return their place (shelf.h), or 0 if there is none. Any
   thread. May block while the system reserves memory. */
uint64_t fut_executor_shelve(fut_executor *executor, const unsigned char *bytes,
                             size_t size);

/* Return a future that ends when submit is worth another try, or NULL if
   memory ran out. The caller owns the reference. Any thread. */
fut_future *fut_executor_vacancy(fut_executor *executor);

/* Take no new tasks; cancel those not started if asked. Workers end when
   nothing is left to do. May be called again. Any thread. Never blocks. */
void fut_executor_shutdown(fut_executor *executor, bool cancel_futures);

/* Shut down, cancelling, and send a signal to all workers. Requires workers
   that are processes. Any thread. Never blocks. */
void fut_executor_kill(fut_executor *executor, int signal);

/* Stop all that runs, and do not see to it that it ends: for an executor that
   was shut down, where nothing waits any more and nobody will. Any thread.
   Never blocks. */
void fut_executor_halt(fut_executor *executor);

/* Whether the calling thread is a worker of it. */
bool fut_executor_inside(fut_executor *executor);

/* As fut_executor_shutdown() without cancelling, but what its tasks submit
   before they end is still taken. Any thread. Never blocks. */
void fut_executor_abandon(fut_executor *executor);

/* Return the future that ends when, after shutdown, no worker runs any more.
   Borrowed. */
fut_future *fut_executor_terminated(fut_executor *executor);

/* Give the system back what the workers leave. Requires that terminated has
   ended, another thread than a worker. Blocks for an instant. */
void fut_executor_join(fut_executor *executor);

/* Any thread. Never blocks. */
void fut_executor_stats_get(fut_executor *executor, fut_executor_stats *stats);

/* Say how many bytes the worker of that number (0, 1, ...) holds as far as is
   known; false if there are no more workers. Any thread. Never blocks. */
bool fut_executor_memory(fut_executor *executor, unsigned worker,
                         size_t *bytes);

/* Write the name of the task of that number (0, 1, ...), of those that run and
   have one, cut to size; false if there are no more. Any thread. Never blocks.
 */
bool fut_executor_name(fut_executor *executor, unsigned number, char *name,
                       size_t size);

/* Cancel a task that has not started: whether this call did. Any thread that
   holds a reference to it. Never blocks. */
bool fut_task_cancel(fut_task *task);

/* Cancel a task, stopping it if it runs: true if it was cancelled or will be
   stopped, and then its future ends when it really has; false if it has ended
   or its executor cannot stop tasks. Any thread that holds a reference to it.
   Never blocks. */
bool fut_task_stop(fut_task *task);

/* Return the state of a task as of now, also of one that is far away. Any
   thread that holds a reference to it. Never blocks. */
fut_state fut_task_state(fut_task *task);

/* What `watched` of every task's kind is. */
void fut_task_watched(fut_future *future);

/* For kinds: a task was started or dropped, and waits no longer. May be called
   again. Any thread that holds a reference to it. */
static inline void fut_task_left(fut_task *task) {
  /* relaxed: set before the task was published */
  if (atomic_load_explicit(&task->counted, memory_order_relaxed) &&
      atomic_exchange(&task->counted, false))
    fut_room_leave(&task->executor->room);
}

/* Whether the executor was made before this process was forked off. */
bool fut_executor_forked(const fut_executor *executor);

#endif
