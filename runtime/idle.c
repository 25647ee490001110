/* idle.c - which workers sleep or search, and whom a new task wakes

   Why no wake-up is lost. A submitter publishes its task and then reads
   `searching`; a worker takes itself off `searching` and then looks for tasks
   once more: these four steps are sequentially consistent, so either the
   submitter sees nobody search (and wakes the worker, which is among the
   sleepers by then) or the worker's last look sees the task. Two workers of
   which one has put spare tasks where the other looks: whoever leaves
   `searching` last sees what the other did before; if it is the one with
   spare tasks, it is told so by fut_idle_found() and wakes the next, if it is
   the other, its last look finds them.

   Blocked workers. There are `spares` workers more than may be awake, but a
   blocked one does not count as awake. All that are awake are `limit` less
   `wakeable`, so another may be if wakeable + blocked > spares. A worker that
   unblocks may make them too many; then whoever searches next sleeps without
   having looked. No task is forgotten by that: before its sleep, and after it
   no longer counts as searching, it looks all the same if it is not too many
   by then; and if it is, all that are allowed are busy and search later. */
#include "idle.h"

void fut_idle_init(fut_idle *idle, unsigned workers) {
  atomic_init(&idle->searching, 0);
  atomic_init(&idle->wakeable, (int)workers);
  fut_mutex_init(&idle->mutex);
  idle->sleepers = NULL;
  idle->startable = workers;
  atomic_init(&idle->asleep, 0);
  idle->limit = (int)workers;
  idle->lost = 0;
  idle->spares = 0;
  atomic_init(&idle->blocked, 0);
}

void fut_idle_add_spares(fut_idle *idle, unsigned spares) {
  idle->startable += spares;
  atomic_fetch_add(&idle->wakeable, (int)spares);
  idle->limit += (int)spares;
  idle->spares = (int)spares;
}

bool fut_idle_block(fut_idle *idle) {
  if (atomic_fetch_add(&idle->blocked, 1) + 1 < idle->limit)
    return true;
  atomic_fetch_sub(&idle->blocked, 1);
  return false;
}

void fut_idle_unblock(fut_idle *idle) { atomic_fetch_sub(&idle->blocked, 1); }

unsigned fut_idle_blocked(const fut_idle *idle) {
  return (unsigned)atomic_load(&idle->blocked);
}

/* How many more workers may be awake; below 0, how many are too many. */
static int allowed(const fut_idle *idle) {
  return atomic_load(&idle->wakeable) + atomic_load(&idle->blocked) -
         idle->spares;
}

bool fut_idle_surplus(const fut_idle *idle) { return allowed(idle) < 0; }

bool fut_idle_permitted(const fut_idle *idle) { return allowed(idle) > 0; }

bool fut_idle_all_asleep(fut_idle *idle) {
  fut_mutex_lock(&idle->mutex);
  bool all = atomic_load(&idle->wakeable) + idle->lost == idle->limit;
  fut_mutex_unlock(&idle->mutex);
  return all;
}

void fut_idle_fini(fut_idle *idle) { fut_mutex_fini(&idle->mutex); }

/* Take the first sleeper off and count it as searching. Assumes mutex held
   and that there is one. */
static fut_sleeper *rouse(fut_idle *idle) {
  fut_sleeper *sleeper = idle->sleepers;
  idle->sleepers = sleeper->next;
  sleeper->listed = false;
  atomic_fetch_sub(&idle->asleep, 1);
  atomic_fetch_sub(&idle->wakeable, 1);
  atomic_fetch_add(&idle->searching, 1);
  return sleeper;
}

fut_wake fut_idle_wake(fut_idle *idle) {
  if (atomic_load(&idle->searching) > 0 || !fut_idle_permitted(idle))
    return FUT_WAKE_NOBODY;
  fut_wake wake = FUT_WAKE_NOBODY;
  fut_mutex_lock(&idle->mutex);
  if (atomic_load(&idle->searching) > 0)
    ; /* somebody was faster */
  else if (idle->sleepers) {
    wake = FUT_WAKE_WOKEN;
    /* under the mutex: the worker cannot end before it has taken it */
    fut_parker_unpark(rouse(idle)->parker);
  } else if (idle->startable > 0) {
    wake = FUT_WAKE_START;
    idle->startable--;
    atomic_fetch_sub(&idle->wakeable, 1);
    atomic_fetch_add(&idle->searching, 1);
  }
  fut_mutex_unlock(&idle->mutex);
  return wake;
}

void fut_idle_not_started(fut_idle *idle, bool again) {
  fut_mutex_lock(&idle->mutex);
  if (again) {
    idle->startable++;
    atomic_fetch_add(&idle->wakeable, 1);
  } else
    idle->lost++;
  /* whoever saw it search relies on somebody to look */
  if (atomic_fetch_sub(&idle->searching, 1) == 1 && idle->sleepers)
    fut_parker_unpark(rouse(idle)->parker);
  fut_mutex_unlock(&idle->mutex);
}

void fut_idle_grow(fut_idle *idle) {
  fut_mutex_lock(&idle->mutex);
  idle->startable++;
  atomic_fetch_add(&idle->wakeable, 1);
  fut_mutex_unlock(&idle->mutex);
}

void fut_idle_wake_all(fut_idle *idle) {
  fut_mutex_lock(&idle->mutex);
  while (idle->sleepers)
    fut_parker_unpark(rouse(idle)->parker);
  fut_mutex_unlock(&idle->mutex);
}

unsigned fut_idle_count(fut_idle *idle) {
  int searching = atomic_load(&idle->searching);
  return atomic_load(&idle->asleep) + (searching > 0 ? (unsigned)searching : 0);
}

void fut_idle_search(fut_idle *idle) { atomic_fetch_add(&idle->searching, 1); }

bool fut_idle_found(fut_idle *idle) {
  return atomic_fetch_sub(&idle->searching, 1) == 1;
}

static void lie_down(fut_idle *idle, fut_sleeper *sleeper) {
  fut_mutex_lock(&idle->mutex);
  sleeper->next = idle->sleepers;
  idle->sleepers = sleeper;
  sleeper->listed = true;
  atomic_fetch_add(&idle->asleep, 1);
  atomic_fetch_add(&idle->wakeable, 1);
  fut_mutex_unlock(&idle->mutex);
}

/* Be searching again: at once if somebody roused the sleeper, else (forced)
   by taking it off the list. Return whether it is. */
static bool get_up(fut_idle *idle, fut_sleeper *sleeper, bool forced) {
  fut_mutex_lock(&idle->mutex);
  bool up = !sleeper->listed;
  if (!up && forced) {
    fut_sleeper **at = &idle->sleepers;
    while (*at != sleeper)
      at = &(*at)->next;
    *at = sleeper->next;
    sleeper->listed = false;
    atomic_fetch_sub(&idle->asleep, 1);
    atomic_fetch_sub(&idle->wakeable, 1);
    atomic_fetch_add(&idle->searching, 1);
    up = true;
  }
  fut_mutex_unlock(&idle->mutex);
  return up;
}

bool fut_idle_sleep(fut_idle *idle, fut_sleeper *sleeper,
                    bool (*anything)(void *context), void *context,
                    fut_deadline deadline) {
  lie_down(idle, sleeper);
  atomic_fetch_sub(&idle->searching, 1);
  if (anything(context)) {
    get_up(idle, sleeper, true);
    return true;
  }
  for (;;) {
    fut_err err = fut_parker_park(sleeper->parker, deadline, NULL, NULL);
    if (get_up(idle, sleeper, false))
      return true;
    if (err == FUT_ETIMEDOUT) {
      get_up(idle, sleeper, true);
      return false;
    }
  }
}
