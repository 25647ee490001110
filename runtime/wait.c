/* wait.c - blocking until futures have ended, and what else ends a wait

   What wakes a wait: a future that ends tells its watches, which wake the
   waiter (completions.c); callbacks do the same through their own queue; a
   signal ends the sleep (parker.h); the deadline bounds it. The waiter keeps
   a wake-up that comes between the last look and the sleep. */
#include "wait.h"

#include "doorbell.h"
#include "progress.h"

/* What is waited for: one of them, or neither. */
struct goal {
  fut_future *future;
  fut_completions *queue;
};

static bool reached(const struct goal *goal) {
  if (goal->queue)
    return fut_completions_satisfied(goal->queue);
  return goal->future && fut_state_done(fut_future_state(goal->future));
}

static bool callbacks_due(const fut_wait *wait) {
  return wait->callbacks && fut_completions_ready(wait->callbacks) > 0;
}

/* Look around for a moment. */
static void look(const fut_wait *wait, const struct goal *goal) {
  bool help = fut_progress_any();
  if (help)
    fut_progress_step();
  if (help && fut_progress_crowded())
    return;
  fut_spin_count(1);
  if (fut_spin_begin(wait->spin)) {
    bool found;
    do {
      found = reached(goal) || callbacks_due(wait);
      if (help && !found)
        fut_progress_step();
    } while (!found && fut_spin_again(wait->spin));
    fut_spin_end(wait->spin, found);
  }
  fut_spin_count(-1);
}

/* Return until when to sleep. ThreadSanitizer runs signal handlers at calls of
   its choice, also right before a sleep that lets signals in: look again. */
static fut_deadline wake_up_time(const fut_wait *wait) {
#ifdef FUT_TSAN
  fut_deadline soon = fut_clock_now() + 50000000;
  if (wait->attention && soon < wait->deadline)
    return soon;
#endif
  return wait->deadline;
}

#define AT_DOORBELL_NS 100000000

/* As fut_waiter_sleep(), but workers in other processes wake us directly; for a
   moment, after which their keepers do. */
static fut_err sleep_at_doorbell(const fut_wait *wait, const struct goal *goal,
                                 fut_doorbell *doorbell) {
  fut_deadline end = fut_clock_now() + AT_DOORBELL_NS;
  if (wait->deadline < end)
    end = wait->deadline;
  fut_err err;
  fut_doorbell_enter(doorbell);
  do {
    unsigned rung = atomic_load(&doorbell->rung);
    fut_progress_step();
    err = FUT_OK;
    if (!reached(goal) && !callbacks_due(wait))
      err = fut_parker_park_at(wait->waiter->parker, doorbell, rung, end);
  } while (err == FUT_OK && !reached(goal) && !callbacks_due(wait));
  /* what ends from here on is told to the keepers; what did before, we see */
  fut_doorbell_leave(doorbell);
  fut_progress_step();
  return err;
}

static fut_err sleep_until(const fut_wait *wait, const struct goal *goal) {
  bool tired = false; /* of sleeping at the doorbell */
  for (;;) {
    if (reached(goal))
      return FUT_OK;
    if (callbacks_due(wait))
      return FUT_EAGAIN;
    if (wait->attention && wait->attention(wait->context))
      return FUT_EINTR;
    fut_spin_asleep(wait->spin);
    fut_doorbell *doorbell =
        fut_progress_any() && !tired ? fut_doorbell_made() : NULL;
    fut_err err = doorbell ? sleep_at_doorbell(wait, goal, doorbell)
                           : fut_waiter_sleep(wait->waiter, wake_up_time(wait),
                                              wait->attention, wait->context);
    tired = doorbell && err == FUT_ETIMEDOUT;
    if (err == FUT_OK)
      fut_spin_woken(wait->spin);
    if (err == FUT_ETIMEDOUT && fut_deadline_left(wait->deadline) == 0)
      return reached(goal)         ? FUT_OK
             : callbacks_due(wait) ? FUT_EAGAIN
                                   : FUT_ETIMEDOUT;
  }
}

/* Sleep until something has come about; another worker runs meanwhile, if it
   is one that sleeps. Requires that the goal wakes us. */
static fut_err sleep_for(const fut_wait *wait, const struct goal *goal) {
  fut_err err = fut_runner_block(wait->runner);
  if (err != FUT_OK)
    return err;
  err = sleep_until(wait, goal);
  fut_runner_unblock(wait->runner);
  return err;
}

/* The part that all waits share before they sleep; false: sleep. */
static bool at_once(const fut_wait *wait, const struct goal *goal,
                    fut_err *err) {
  if (reached(goal))
    *err = FUT_OK;
  else if (callbacks_due(wait))
    *err = FUT_EAGAIN;
  else if (wait->deadline == FUT_POLL)
    *err = FUT_ETIMEDOUT;
  else
    return false;
  return true;
}

fut_err fut_wait_future(const fut_wait *wait, fut_future *future) {
  struct goal goal = {.future = future};
  fut_err err;
  if (fut_future_lost(future))
    return FUT_ELOST;
  if (at_once(wait, &goal, &err))
    return err;
  fut_waiter_enter();
  look(wait, &goal);
  if (!at_once(wait, &goal, &err)) {
    fut_completions queue;
    fut_completion completion;
    fut_completions_init(&queue, wait->waiter);
    fut_completions_add(&queue, &completion, future);
    goal.queue = &queue;
    err = sleep_for(wait, &goal);
    fut_completions_remove(&completion);
    fut_completions_fini(&queue);
  }
  fut_waiter_leave();
  return err;
}

static fut_err wait_goal(const fut_wait *wait, const struct goal *goal) {
  fut_err err;
  if (at_once(wait, goal, &err))
    return err;
  fut_waiter_enter();
  look(wait, goal);
  if (!at_once(wait, goal, &err))
    err = sleep_for(wait, goal);
  fut_waiter_leave();
  return err;
}

fut_err fut_wait_completions(const fut_wait *wait, fut_completions *queue) {
  return wait_goal(wait, &(struct goal){.queue = queue});
}

fut_err fut_wait_callbacks(const fut_wait *wait) {
  return wait_goal(wait, &(struct goal){.future = NULL});
}
