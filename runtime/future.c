/* future.c - an outcome that is set once, and those who watch for it

   The state is one atomic word, which also says whether the future is watched,
   whether whoever runs it was asked to end it early, and whether it was ended
   without them. A future that nobody watches ends by one
   compare-and-swap; one that is watched ends under its arena's lock, and
   everybody is told before the lock is released. So of all watched futures of
   an arena, the order of ending is the order of telling, and whoever sees a
   future done and then takes the lock (fut_future_settle) finds it told.

   Waking comes after unlocking, through counted waiters: the woken thread may
   be gone by then. The caller's reference keeps future and arena alive. */
#include "future.h"

#include "check.h"
#include "thread.h"
#include "waiter.h"

#define STATE 7u
#define WATCHED 8u
#define ASKED 16u     /* to end early; set while RUNNING */
#define ABANDONED 32u /* ended while its task goes on */
#define BIT(state) (1u << (state))

void fut_future_init(fut_future *future, const fut_future_kind *kind,
                     fut_arena *arena) {
  fut_object_init(&future->object, &kind->object);
  future->arena = arena;
  future->watches = NULL;
  atomic_init(&future->word, FUT_PENDING);
  future->generation = fut_thread_generation();
}

static const fut_future_kind *kind_of(const fut_future *future) {
  return (const fut_future_kind *)(const void *)future->object.kind;
}

static void give_back(fut_future *future, fut_arena *here) {
  CHECK(future->watches == NULL);
  kind_of(future)->fini(future);
  fut_arena_give(future->arena, future, future->arena == here);
}

void fut_future_free(fut_object *object) {
  give_back((fut_future *)object, NULL);
}

void fut_future_release(fut_future *future, fut_arena *here) {
  /* release and acquire: as in fut_object_release() */
  if (atomic_fetch_sub_explicit(&future->object.references, 1,
                                memory_order_acq_rel) == 1)
    give_back(future, here);
}

bool fut_future_start(fut_future *future) {
  unsigned word = atomic_load_explicit(&future->word, memory_order_relaxed);
  while ((word & STATE) == FUT_PENDING)
    /* acquire: what the submitter wrote (partner: the queue's lock as well);
       release: on which worker it runs (partner: fut_future_ask()) */
    if (atomic_compare_exchange_weak_explicit(
            &future->word, &word, (word & ~STATE) | FUT_RUNNING,
            memory_order_acq_rel, memory_order_relaxed))
      return true;
  return false;
}

/* Tell all who watch. Return the waiters to wake, at most `room`; those
   beyond are woken here. Assumes the arena's lock held. */
static int tell(fut_future *future, fut_state state, fut_waiter **waiters,
                int room) {
  int count = 0;
  fut_watch *watch;
  while ((watch = future->watches) != NULL) {
    future->watches = watch->next;
    if (watch->next)
      watch->next->prev = NULL;
    watch->next = watch->prev = NULL;
    watch->registered = false;
    fut_waiter *waiter = watch->told(watch, state);
    if (waiter == NULL)
      continue;
    if (count < room)
      waiters[count++] = waiter;
    else {
      fut_waiter_wake(waiter);
      fut_waiter_release(waiter);
    }
  }
  return count;
}

static bool end_watched(fut_future *future, unsigned from, unsigned unless,
                        unsigned to) {
  fut_waiter *waiters[8];
  int count = 0;
  bool ended = false;
  fut_arena_lock(future->arena);
  unsigned word = atomic_load_explicit(&future->word, memory_order_relaxed);
  while (!ended && (from & BIT(word & STATE)) && !(word & unless))
    /* release: the outcome is visible to whoever sees the state */
    ended = atomic_compare_exchange_weak_explicit(
        &future->word, &word, to | WATCHED, memory_order_release,
        memory_order_relaxed);
  if (ended)
    count = tell(future, (fut_state)(to & STATE), waiters, 8);
  fut_arena_unlock(future->arena);
  for (int i = 0; i < count; i++) {
    fut_waiter_wake(waiters[i]);
    fut_waiter_release(waiters[i]);
  }
  return ended;
}

/* Change the word to `to` if its state is among `from` and none of the bits
   of `unless` is set. */
static bool step(fut_future *future, unsigned from, unsigned unless,
                 unsigned to) {
  unsigned word = atomic_load_explicit(&future->word, memory_order_relaxed);
  while ((from & BIT(word & STATE)) && !(word & unless)) {
    if (word & WATCHED)
      return end_watched(future, from, unless, to);
    /* release: the outcome is visible to whoever sees the state */
    if (atomic_compare_exchange_weak_explicit(&future->word, &word, to,
                                              memory_order_release,
                                              memory_order_relaxed))
      return true;
  }
  return false;
}

static bool end(fut_future *future, unsigned from, unsigned unless,
                unsigned to) {
  if (!step(future, from, unless, to))
    return false;
  if (kind_of(future)->ended)
    kind_of(future)->ended(future);
  return true;
}

bool fut_future_cancel(fut_future *future) {
  return end(future, BIT(FUT_PENDING), 0, FUT_CANCELLED);
}

bool fut_future_end(fut_future *future, fut_state state) {
  CHECK(fut_state_done(state));
  return end(future, BIT(FUT_PENDING) | BIT(FUT_RUNNING), 0, state);
}

bool fut_future_ask(fut_future *future) {
  /* acquire: partner of the release in fut_future_start() */
  unsigned word = atomic_load_explicit(&future->word, memory_order_acquire);
  while ((word & STATE) == FUT_RUNNING)
    if (atomic_compare_exchange_weak_explicit(
            &future->word, &word, word | ASKED, memory_order_acq_rel,
            memory_order_acquire))
      return true;
  return false;
}

bool fut_future_asked(const fut_future *future) {
  unsigned word = atomic_load_explicit(&future->word, memory_order_acquire);
  return (word & STATE) == FUT_RUNNING && (word & ASKED);
}

bool fut_future_end_unasked(fut_future *future, fut_state state) {
  CHECK(fut_state_done(state));
  return end(future, BIT(FUT_PENDING) | BIT(FUT_RUNNING), ASKED, state);
}

bool fut_future_abandon(fut_future *future, fut_state state) {
  CHECK(state == FUT_FAILED || state == FUT_CANCELLED);
  return end(future, BIT(FUT_RUNNING), 0, state | ABANDONED);
}

bool fut_future_abandoned(const fut_future *future) {
  return atomic_load_explicit(&future->word, memory_order_acquire) & ABANDONED;
}

bool fut_future_lost(const fut_future *future) {
  return future->generation != fut_thread_generation() &&
         future->generation != FUT_ANY_GENERATION &&
         !fut_state_done(fut_future_state(future));
}

bool fut_future_watch(fut_future *future, fut_watch *watch) {
  watch->registered = false;
  watch->next = watch->prev = NULL;
  if (fut_state_done(fut_future_state(future)))
    return false;
  fut_arena_lock(future->arena);
  /* acquire: as in fut_future_state() */
  unsigned word = atomic_load_explicit(&future->word, memory_order_acquire);
  bool done = fut_state_done(word & STATE);
  while (!done && !(word & WATCHED)) {
    if (atomic_compare_exchange_weak_explicit(
            &future->word, &word, word | WATCHED, memory_order_acquire,
            memory_order_acquire))
      break;
    done = fut_state_done(word & STATE);
  }
  if (!done) {
    watch->registered = true;
    watch->next = future->watches;
    if (watch->next)
      watch->next->prev = watch;
    future->watches = watch;
  }
  fut_arena_unlock(future->arena);
  const fut_future_kind *kind = (const fut_future_kind *)future->object.kind;
  if (!done && kind->watched)
    kind->watched(future);
  return !done;
}

bool fut_future_unwatch(fut_future *future, fut_watch *watch) {
  fut_arena_lock(future->arena);
  bool registered = watch->registered;
  if (registered) {
    watch->registered = false;
    if (watch->prev)
      watch->prev->next = watch->next;
    else
      future->watches = watch->next;
    if (watch->next)
      watch->next->prev = watch->prev;
  }
  fut_arena_unlock(future->arena);
  return registered;
}

void fut_future_settle(fut_future *future) {
  if (atomic_load_explicit(&future->word, memory_order_relaxed) & WATCHED) {
    fut_arena_lock(future->arena);
    fut_arena_unlock(future->arena);
  }
}
