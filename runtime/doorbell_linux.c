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
static fut_shared page;     /* guarded by mutex; never let go of */
static unsigned generation; /* guarded by mutex: of forks, of the page */
static _Atomic(fut_doorbell *) made; /* atomic; of this process or a parent */

fut_doorbell *fut_doorbell_made(void) {
  fut_doorbell *doorbell = atomic_load(&made);
  return doorbell && generation == fut_thread_generation() ? doorbell : NULL;
}

fut_doorbell *fut_doorbell_here(int *fd) {
  fut_mutex_lock(&mutex);
  if (fut_doorbell_made() == NULL) {
    fut_shared fresh;
    if (fut_shared_new(&fresh, sizeof(fut_doorbell)) == FUT_OK) {
      page = fresh; /* a parent's is left as it is: others may look at it */
      generation = fut_thread_generation();
      atomic_store(&made, (fut_doorbell *)page.base);
    }
  }
  fut_doorbell *doorbell = fut_doorbell_made();
  *fd = doorbell ? page.fd : -1;
  fut_mutex_unlock(&mutex);
  return doorbell;
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
