/* executor.h - what every pool offers: submit, shut down, say how it stands */
#ifndef FUT_EXECUTOR_H
#define FUT_EXECUTOR_H

#include "error.h"
#include "task.h"

typedef struct fut_executor fut_executor;

/* How an executor stands, as of some moment during the call. */
typedef struct fut_executor_stats {
  unsigned workers; /* started and not ended */
  unsigned idle;    /* of those, without a task */
  size_t pending;   /* tasks not started, cancelled ones included */
} fut_executor_stats;

/* What a kind of executor must do; see the functions below. */
typedef struct fut_executor_ops {
  fut_object_kind object; /* free ends it, on any thread, its workers too */
  fut_err (*submit)(fut_executor *executor, fut_task *task);
  void (*shutdown)(fut_executor *executor, bool cancel_futures);
  void (*join)(fut_executor *executor);
  void (*stats)(fut_executor *executor, fut_executor_stats *stats);
} fut_executor_ops;

/* Embedded as the first member. Counted. */
struct fut_executor {
  fut_object object;
  fut_arena *arena;       /* of `terminated`; owned */
  fut_future *terminated; /* set once; ends when no worker runs */
  unsigned generation;    /* set once: the fork generation it belongs to */
};

/* For kinds: stand at one reference; FUT_ENOMEM. */
fut_err fut_executor_init(fut_executor *executor, const fut_executor_ops *ops);
void fut_executor_fini(fut_executor *executor);

/* Schedule a task. Takes a reference in any case; the caller who wants the
   future keeps another. On FUT_ESHUTDOWN, FUT_ETHREAD, FUT_ENOMEM and
   FUT_EFORKED the future is cancelled. Any thread. Never blocks. */
fut_err fut_executor_submit(fut_executor *executor, fut_task *task);

/* Take no new tasks; cancel those not started if asked. Workers end when
   nothing is left to do. May be called again. Any thread. Never blocks. */
void fut_executor_shutdown(fut_executor *executor, bool cancel_futures);

/* Return the future that ends when, after shutdown, no worker runs any more.
   Borrowed. */
fut_future *fut_executor_terminated(fut_executor *executor);

/* Give the system back what the workers leave. Requires that terminated has
   ended, another thread than a worker. Blocks for an instant. */
void fut_executor_join(fut_executor *executor);

/* Any thread. Never blocks. */
void fut_executor_stats_get(fut_executor *executor, fut_executor_stats *stats);

/* Whether the executor was made before this process was forked off. */
bool fut_executor_forked(const fut_executor *executor);

#endif
