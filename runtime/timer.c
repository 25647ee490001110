/* timer.c - calls that a thread of its own makes when their time has come

   The timers that are set are a list in the order of their deadlines. New ones
   are put in from the end: most are as long as the last, so that this is where
   they belong. The thread sleeps until the first deadline. Only an earlier one
   wakes it, so that tasks which end in time cost no wake-up. */
#include "timer.h"

#include "parker.h"
#include "thread.h"

#include <pthread.h>

#define LINGER_NS                                                              \
  1000000000 /* how long the thread stays with nothing to do                   \
              */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static struct {
  fut_mutex mutex;
  fut_timer *first, *last; /* guarded by mutex, as all below */
  bool running;            /* there is a thread */
  fut_deadline until;      /* when it wakes by itself */
  fut_parker *parker;      /* its own; set while it runs */
} timers;

static void before_fork(void) { fut_mutex_lock(&timers.mutex); }

static void in_parent(void) { fut_mutex_unlock(&timers.mutex); }

static void in_child(void) {
  fut_mutex_init(&timers.mutex);
  timers.first = timers.last = NULL;
  timers.running = false; /* the thread is the parent's */
  timers.parker = NULL;
}

static void begin(void) {
  fut_mutex_init(&timers.mutex);
  pthread_atfork(before_fork, in_parent, in_child);
}

void fut_timer_lock(void) {
  pthread_once(&once, begin);
  fut_mutex_lock(&timers.mutex);
}

void fut_timer_unlock(void) { fut_mutex_unlock(&timers.mutex); }

void fut_timer_init(fut_timer *timer, void (*due)(fut_timer *timer)) {
  *timer = (fut_timer){.due = due};
}

/* Make all calls that are due; return until when nothing is. */
static fut_deadline call_due(void) {
  fut_timer *timer;
  while ((timer = timers.first) != NULL &&
         fut_deadline_left(timer->deadline) == 0) {
    fut_timer_unset(timer);
    timer->due(timer);
  }
  return timer ? timer->deadline : FUT_NEVER;
}

static void run(void *unused) {
  (void)unused;
  fut_thread_name("futures-timer");
  fut_deadline end = FUT_NEVER; /* of the time with nothing to do */
  fut_timer_lock();
  for (;;) {
    timers.until = call_due();
    if (timers.first)
      end = FUT_NEVER;
    else if (end == FUT_NEVER)
      end = fut_clock_now() + LINGER_NS;
    else if (fut_deadline_left(end) == 0)
      break;
    if (end < timers.until)
      timers.until = end;
    fut_timer_unlock();
    fut_parker_park(timers.parker, timers.until, NULL, NULL);
    fut_timer_lock();
  }
  fut_parker_free(timers.parker);
  timers.parker = NULL;
  timers.running = false;
  fut_timer_unlock();
}

/* Assumes the lock held. */
static fut_err start(void) {
  static fut_thread thread; /* guarded by mutex: read as the thread begins */
  timers.parker = fut_parker_new();
  if (timers.parker == NULL)
    return FUT_ENOMEM;
  timers.until = FUT_NEVER;
  fut_err err = fut_thread_start(&thread, run, NULL);
  if (err != FUT_OK) {
    fut_parker_free(timers.parker);
    timers.parker = NULL;
    return err;
  }
  fut_thread_detach(thread);
  timers.running = true;
  return FUT_OK;
}

fut_err fut_timer_set(fut_timer *timer, fut_deadline deadline) {
  fut_timer_unset(timer);
  if (!timers.running) {
    fut_err err = start();
    if (err != FUT_OK)
      return err;
  } else if (deadline < timers.until)
    fut_parker_unpark(timers.parker);
  fut_timer *before = timers.last;
  while (before && before->deadline > deadline)
    before = before->prev;
  timer->deadline = deadline;
  timer->prev = before;
  timer->next = before ? before->next : timers.first;
  *(timer->next ? &timer->next->prev : &timers.last) = timer;
  *(before ? &before->next : &timers.first) = timer;
  timer->set = true;
  return FUT_OK;
}

void fut_timer_unset(fut_timer *timer) {
  if (!timer->set)
    return;
  *(timer->next ? &timer->next->prev : &timers.last) = timer->prev;
  *(timer->prev ? &timer->prev->next : &timers.first) = timer->next;
  timer->set = false;
}
