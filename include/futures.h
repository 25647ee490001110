/* futures.h - executors, futures and waiting for C functions; no Lua needed

     futures_executor *pool;
     futures_future *future;
     futures_thread_pool_new(NULL, &pool);
     futures_submit(pool, work, argument, &future);
     ...
     void *result;
     futures_result(future, FUTURES_NEVER, &result);
     futures_future_release(future);
     futures_shutdown(pool, false);
     futures_join(pool, FUTURES_NEVER);
     futures_executor_release(pool);

   Any thread may call any function, also on the same object at once, as long
   as it holds a reference to it; exceptions say so. Functions block where it is
   said, no others do. Objects are counted: who gets one from a function holds
   one reference and gives it up by the function that ends in _release. */
#ifndef FUTURES_H
#define FUTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define FUTURES_API __attribute__((visibility("default")))
#else
#define FUTURES_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* --- outcomes of calls ------------------------------------------------- */

typedef enum futures_status {
  FUTURES_OK = 0,
  FUTURES_ENOMEM,    /* memory ran out */
  FUTURES_ETIMEDOUT, /* the deadline came first */
  FUTURES_ECANCELED, /* the future was cancelled */
  FUTURES_ESHUTDOWN, /* the executor takes no more tasks */
  FUTURES_ETHREAD,   /* the system has no room for a worker thread */
  FUTURES_EBROKEN,   /* the executor has failed as a whole */
  FUTURES_EFORKED,   /* the object was made before this process was forked off;
                        what was under way then never ends here */
  FUTURES_EDEADLOCK, /* a task cannot wait for the end of its own executor */
  FUTURES_EINVAL     /* an option is out of range */
} futures_status;

/* Return a sentence about a status: lower case, no full stop, static. */
FUTURES_API const char *futures_status_message(futures_status status);

/* --- time -------------------------------------------------------------- */

/* A point in monotonic time, in nanoseconds. Whatever blocks ends at one. */
typedef int64_t futures_deadline;

#define FUTURES_POLL ((futures_deadline)0)          /* do not block */
#define FUTURES_NEVER ((futures_deadline)INT64_MAX) /* no limit */

/* Return the moment so many seconds from now: FUTURES_POLL for 0 and less,
   FUTURES_NEVER beyond what can be counted. Requires not NaN. */
FUTURES_API futures_deadline futures_after(double seconds);

/* --- executors --------------------------------------------------------- */

typedef struct futures_executor futures_executor;
typedef struct futures_future futures_future;

/* How a thread pool is made; what is 0 or NULL has its default. */
typedef struct futures_pool_options {
  unsigned max_workers; /* at most 65535; default: as many as there are CPUs
                           that this process may use */
  const char *name;     /* prefix of the threads' names, copied; "futures" */
} futures_pool_options;

/* Make a pool of threads, which are started when there are tasks for them.
   They block every signal but those that their own faults raise and SIGURG.
   options is borrowed, NULL for all defaults. On FUTURES_OK the caller owns
   *executor. FUTURES_ENOMEM, FUTURES_EINVAL. */
FUTURES_API futures_status futures_thread_pool_new(
    const futures_pool_options *options, futures_executor **executor);

FUTURES_API void futures_executor_hold(futures_executor *executor);

/* Give up a reference. With the last one the executor is shut down as by
   futures_shutdown(executor, false): its tasks are still run, if the process
   lives so long. NULL is ignored. */
FUTURES_API void futures_executor_release(futures_executor *executor);

/* A task: what it returns is the result of its future. */
typedef void *futures_function(void *argument);

/* Have function(argument) called once by a worker. argument stays the
   caller's; it must last until the future has ended. With future not NULL
   the caller owns *future; with NULL nobody waits for this task. On an error,
   *future is not written and the function is never called. FUTURES_ENOMEM,
   FUTURES_ESHUTDOWN, FUTURES_ETHREAD, FUTURES_EFORKED.

   Tasks start in the order of submission, but that brief ones may be taken
   in batches. A task may submit others and wait for them: those that wait to
   be run are run on the spot, so that an executor does not wait for itself. */
FUTURES_API futures_status futures_submit(futures_executor *executor,
                                          futures_function *function,
                                          void *argument,
                                          futures_future **future);

/* Take no more tasks; with cancel, cancel those that have not started. The
   workers end when nothing is left to do. May be called again. */
FUTURES_API void futures_shutdown(futures_executor *executor, bool cancel);

/* Wait until no worker runs, after futures_shutdown(), and give the system
   back what the threads had. Blocks. FUTURES_ETIMEDOUT; FUTURES_EDEADLOCK in
   a task of this executor; FUTURES_EFORKED. */
FUTURES_API futures_status futures_join(futures_executor *executor,
                                        futures_deadline deadline);

/* --- futures ----------------------------------------------------------- */

typedef enum futures_state {
  FUTURES_PENDING,   /* not started */
  FUTURES_RUNNING,   /* a worker has begun */
  FUTURES_CANCELLED, /* will never start */
  FUTURES_FINISHED,  /* there is a result */
  FUTURES_FAILED     /* the executor could not run it: see futures_result() */
} futures_state;

FUTURES_API void futures_future_hold(futures_future *future);

/* Give up a reference; the task goes on all the same. NULL is ignored. */
FUTURES_API void futures_future_release(futures_future *future);

/* Return the state as of now; it may be another when this returns, but that a
   future which has ended stays as it is. */
FUTURES_API futures_state futures_future_state(const futures_future *future);

/* Cancel the task if it has not started; return whether the future is
   cancelled now. Runs its callbacks, if it was this call that cancelled it. */
FUTURES_API bool futures_cancel(futures_future *future);

/* Wait until the future has ended and return in *result what the function
   returned. Blocks. FUTURES_ETIMEDOUT, FUTURES_ECANCELED, FUTURES_ENOMEM,
   FUTURES_EFORKED, FUTURES_EBROKEN and FUTURES_ETHREAD for a failed one;
   *result is written on FUTURES_OK only, and may be NULL. */
FUTURES_API futures_status futures_result(futures_future *future,
                                          futures_deadline deadline,
                                          void **result);

/* Wait until all, or the first, of count futures have ended, cancelled ones
   included; a future may stand there several times. The caller holds
   references to all. futures_wait_first() tells in *first, if not NULL, which
   it was; without any it comes at once to FUTURES_EINVAL. Block.
   FUTURES_ETIMEDOUT, FUTURES_ENOMEM, FUTURES_EFORKED. */
FUTURES_API futures_status futures_wait_all(futures_future *const futures[],
                                            size_t count,
                                            futures_deadline deadline);
FUTURES_API futures_status futures_wait_first(futures_future *const futures[],
                                              size_t count,
                                              futures_deadline deadline,
                                              size_t *first);

/* Is told of the end of a future. */
typedef void futures_callback(futures_future *future, void *context);

/* Have callback(future, context) called once the future has ended, in the
   order added. The thread that ends the future calls it: the worker that ran
   the task, or whoever cancelled it or shut the executor down; if the future
   has ended already, the calling thread, before this returns. Nothing of the
   library is locked meanwhile; the callback may call any function, and should
   be brief, for a worker waits for it. Threads that wait for the future may go
   on before the callback has run. FUTURES_ENOMEM: it will not be called. */
FUTURES_API futures_status futures_add_done_callback(futures_future *future,
                                                     futures_callback *callback,
                                                     void *context);

/* --- the process ------------------------------------------------------- */

/* What every allocation of the library goes through: block is NULL for a new
   one, size is 0 to free; returns NULL when memory ran out. Any thread calls
   it, several at a time; it must not call back into the library. The memory
   of Lua states is not among it. */
typedef void *futures_allocator(void *context, void *block, size_t size);

/* Replace the allocator; NULL restores the C library's. Requires that the
   library was not used before: this is the first call of all. */
FUTURES_API void futures_set_allocator(futures_allocator *allocator,
                                       void *context);

/* Return how many CPUs this process may use, affinity and cgroup quota
   counted; at least 1. */
FUTURES_API unsigned futures_cpu_count(void);

#ifdef __cplusplus
}
#endif

#endif
