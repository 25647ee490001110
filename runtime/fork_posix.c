/* fork_posix.c - locks that a child process must find free

   The mutex of the lists is the first of all locks but that of the timers,
   which fork() has taken before, for their handlers are registered later.
   fork() takes it, then all that are guarded, rank by rank. Nobody else holds
   two of one rank, so this cannot close a circle. */
#include "fork.h"

#include "check.h"
#include "spin.h"
#include "waiter.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static fut_fork_guard lists[FUT_FORK_RANKS]; /* guarded by mutex: heads of
                                                rings; next is NULL at first */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare(void) {
  pthread_mutex_lock(&mutex);
  for (int rank = 0; rank < FUT_FORK_RANKS; rank++) {
    fut_fork_guard *head = &lists[rank];
    for (fut_fork_guard *at = head->next; at != head; at = at->next)
      fut_mutex_lock(at->mutex);
  }
}

static void go_on(void) {
  for (int rank = FUT_FORK_RANKS - 1; rank >= 0; rank--) {
    fut_fork_guard *head = &lists[rank];
    for (fut_fork_guard *at = head->prev; at != head; at = at->prev)
      fut_mutex_unlock(at->mutex);
  }
  pthread_mutex_unlock(&mutex);
}

static void go_on_alone(void) {
  go_on();
  fut_spin_forked();
  fut_waiter_forked();
}

static void begin(void) {
  for (int rank = 0; rank < FUT_FORK_RANKS; rank++)
    lists[rank].next = lists[rank].prev = &lists[rank];
  CHECK(pthread_atfork(prepare, go_on, go_on_alone) == 0);
}

void fut_fork_guard_init(fut_fork_guard *guard, fut_mutex *guarded,
                         fut_fork_rank rank) {
  pthread_once(&once, begin);
  guard->mutex = guarded;
  fut_fork_guard *head = &lists[rank];
  pthread_mutex_lock(&mutex);
  guard->next = head->next;
  guard->prev = head;
  guard->next->prev = guard;
  head->next = guard;
  pthread_mutex_unlock(&mutex);
}

void fut_fork_guard_fini(fut_fork_guard *guard) {
  pthread_mutex_lock(&mutex);
  guard->prev->next = guard->next;
  guard->next->prev = guard->prev;
  pthread_mutex_unlock(&mutex);
}
