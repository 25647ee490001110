/* thread_posix.c - threads and locks from POSIX */
#include "thread.h"

#include "check.h"
#include "interruption.h"

#include <signal.h>
#include <stdatomic.h>

#define LOCK_TRIES 40 /* about a microsecond */

void fut_mutex_init(fut_mutex *mutex) {
  CHECK(pthread_mutex_init(&mutex->handle, NULL) == 0);
}

void fut_mutex_fini(fut_mutex *mutex) {
  CHECK(pthread_mutex_destroy(&mutex->handle) == 0);
}

void fut_mutex_lock(fut_mutex *mutex) {
  /* our sections are shorter than a sleep: try for a moment first */
  for (int i = 0; i < LOCK_TRIES; i++) {
    if (pthread_mutex_trylock(&mutex->handle) == 0)
      return;
    fut_thread_relax();
  }
  CHECK(pthread_mutex_lock(&mutex->handle) == 0);
}

void fut_mutex_unlock(fut_mutex *mutex) {
  CHECK(pthread_mutex_unlock(&mutex->handle) == 0);
}

bool fut_mutex_try_lock(fut_mutex *mutex) {
  return pthread_mutex_trylock(&mutex->handle) == 0;
}

static void *enter(void *argument) {
  const fut_thread *thread = argument;
  thread->run(thread->argument);
  return NULL;
}

fut_err fut_thread_start(fut_thread *thread, void (*run)(void *argument),
                         void *argument) {
  thread->run = run;
  thread->argument = argument;
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, SIGSEGV);
  sigdelset(&all, SIGBUS);
  sigdelset(&all, SIGFPE);
  sigdelset(&all, SIGILL);
  sigdelset(&all, SIGTRAP);
  sigdelset(&all, SIGABRT);
  sigdelset(&all, FUT_INTERRUPTION_SIGNAL);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited by the thread */
  int failed = pthread_create(&thread->handle, NULL, enter, thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed ? FUT_ETHREAD : FUT_OK;
}

void fut_thread_join(fut_thread thread) {
  CHECK(pthread_join(thread.handle, NULL) == 0);
}

void fut_thread_detach(fut_thread thread) {
  CHECK(pthread_detach(thread.handle) == 0);
}

static atomic_uint generation;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define RENEWALS 8

static _Atomic(void (*)(
    void)) renewals[RENEWALS]; /* atomic: the first are set */

static void forked(void) {
  atomic_fetch_add(&generation, 1);
  void (*renew)(void);
  for (int i = 0; i < RENEWALS && (renew = atomic_load(&renewals[i])); i++)
    renew();
}

static void watch_forks(void) {
  CHECK(pthread_atfork(NULL, NULL, forked) == 0);
}

unsigned fut_thread_generation(void) {
  pthread_once(&once, watch_forks);
  /* relaxed: changes only in a child process that has one thread */
  return atomic_load_explicit(&generation, memory_order_relaxed);
}

void fut_thread_after_fork(void (*renew)(void)) {
  pthread_once(&once, watch_forks);
  for (int i = 0; i < RENEWALS; i++) {
    void (*there)(void) = NULL;
    if (atomic_compare_exchange_strong(&renewals[i], &there, renew) ||
        there == renew)
      return;
  }
  fut_check_failed("room for what is renewed after a fork", __FILE__, __LINE__);
}
