/* thread.h - what a platform provides to run several threads */
#ifndef FUT_THREAD_H
#define FUT_THREAD_H

#include "clock.h"
#include "error.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

/* A lock held for a few instructions, by the thread that took it. Unlocking
   may be followed at once by fini in another thread that locked after. */
typedef struct fut_mutex {
  pthread_mutex_t handle;
} fut_mutex;

void fut_mutex_init(fut_mutex *mutex);
void fut_mutex_fini(fut_mutex *mutex);
void fut_mutex_lock(fut_mutex *mutex);
void fut_mutex_unlock(fut_mutex *mutex);

/* Lock it unless somebody holds it: whether it did. Never blocks. */
bool fut_mutex_try_lock(fut_mutex *mutex);

/* A thread that has to be joined or detached, once. Embedded. */
typedef struct fut_thread {
  pthread_t handle;
  void (*run)(void *argument);
  void *argument;
} fut_thread;

/* Start run(argument) in a new thread, which blocks every signal but those
   that its own faults raise and that of interruption.h. Return FUT_ETHREAD if
   the system has no room. Requires that *thread stays in its place until run
   has begun. */
fut_err fut_thread_start(fut_thread *thread, void (*run)(void *argument),
                         void *argument);

/* Block until the thread has ended. Requires another thread than it. */
void fut_thread_join(fut_thread thread);

/* Let the thread free itself when it ends. */
void fut_thread_detach(fut_thread thread);

/* Name the calling thread for debuggers; what is too long is cut off. */
void fut_thread_name(const char *name);

/* Tell the processor that this is a waiting loop. */
static inline void fut_thread_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb" ::: "memory");
#endif
}

/* Counts forks: a number that a child process finds changed. Whatever was
   made under another number belongs to the parent, its threads are gone. */
unsigned fut_thread_generation(void);

#define FUT_ANY_GENERATION UINT_MAX /* no fork takes it away */

/* Call renew() in every child process that is forked from now on, before the
   fork returns there; once, however often it is asked for. Any thread. */
void fut_thread_after_fork(void (*renew)(void));

#endif
