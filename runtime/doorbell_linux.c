/* doorbell_linux.c - a doorbell is a futex in shared memory */
#include "doorbell.h"

#include "shared.h"
#include "thread.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static fut_mutex mutex = {PTHREAD_MUTEX_INITIALIZER};
static fut_shared page; /* guarded by mutex; never let go of */
static unsigned asleep; /* guarded by mutex: the truth of doorbell.asleep */
static _Atomic(fut_doorbell *) made; /* atomic: NULL: not yet */

/* In a forked child: the doorbell is the parent's. */
static void renew(void) {
  mutex = (fut_mutex){PTHREAD_MUTEX_INITIALIZER};
  asleep = 0;
  atomic_store(&made, NULL);
}

fut_doorbell *fut_doorbell_made(void) { return atomic_load(&made); }

fut_doorbell *fut_doorbell_here(int *fd) {
  fut_thread_after_fork(renew);
  fut_mutex_lock(&mutex);
  fut_shared fresh;
  if (atomic_load(&made) == NULL &&
      fut_shared_new(&fresh, sizeof(fut_doorbell)) == FUT_OK) {
    page = fresh;
    atomic_store(&made, (fut_doorbell *)page.base);
  }
  fut_doorbell *doorbell = atomic_load(&made);
  *fd = doorbell ? page.fd : -1;
  fut_mutex_unlock(&mutex);
  return doorbell;
}

/* Workers may have written there: it is set to what is true. */
void fut_doorbell_enter(fut_doorbell *doorbell) {
  fut_mutex_lock(&mutex);
  atomic_store(&doorbell->asleep, ++asleep);
  fut_mutex_unlock(&mutex);
}

void fut_doorbell_leave(fut_doorbell *doorbell) {
  fut_mutex_lock(&mutex);
  atomic_store(&doorbell->asleep, --asleep);
  fut_mutex_unlock(&mutex);
}

fut_doorbell *fut_doorbell_open(int fd) {
  fut_shared shared;
  if (fd < 0 || fut_shared_open(&shared, fd) != FUT_OK)
    return NULL;
  return shared.base;
}

void fut_doorbell_ring(fut_doorbell *doorbell) {
  atomic_fetch_add(&doorbell->rung, 1);
  syscall(SYS_futex, &doorbell->rung, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
