/* children.h - the workers of a process pool, as the parent sees them */
#ifndef FUT_CHILDREN_H
#define FUT_CHILDREN_H

#include "event.h"
#include "process.h"
#include "shared.h"
#include "slots.h"

/* What the parent knows of the worker in a seat. */
typedef struct fut_child {
  bool present;         /* there is a process, or one is being started */
  bool started;         /* ... and the rest of this is filled in */
  bool expected;        /* its end is our doing */
  bool slow;            /* woken, but it does not come: count on others */
  fut_deadline kill_at; /* when it is to be killed, if it is there then */
  unsigned signs;       /* of life, as seen last: rings and ends of tasks */
  fut_deadline called;  /* since when it has been seen SEARCHING */
  fut_process process;
  fut_shared streams;
  fut_bell_cord cord;
  fut_event stop; /* wakes its guardian */
  unsigned done;  /* how many of its done slots were collected */
  uint64_t call_position, outcome_position; /* in its streams */
} fut_child;

/* Embedded in a pool, whose mutex guards it; what is started or buried is the
   keeper's meanwhile. */
typedef struct fut_children {
  fut_segment *segment;
  int segment_fd;
  fut_event event;     /* wakes the keeper; the workers hold it too */
  const char *program; /* set once: owned */
  unsigned size;       /* set once: seats */
  unsigned present;    /* members there or being started */
  unsigned failures;   /* starts in a row that came to nothing */
  fut_child *child;    /* size of them */
} fut_children;

/* Take over the program's path and the descriptors; FUT_ENOMEM. */
fut_err fut_children_init(fut_children *children, fut_segment *segment,
                          int segment_fd, char *program, unsigned size);
/* Requires that nobody is present. */
void fut_children_fini(fut_children *children);

/* --- the mutex held ----------------------------------------------------------
 */

/* Move what is on its way through the streams of a member, and collect the
   tasks that it has done. */
void fut_children_collect(fut_children *children, unsigned seat,
                          fut_slots *slots);

/* Collect a task that the worker in a seat has done. */
void fut_children_collect_slot(fut_children *children, unsigned seat,
                               fut_slots *slots, unsigned slot);

typedef enum fut_children_answer {
  FUT_CHILDREN_BUSY,  /* all are, and will look for more */
  FUT_CHILDREN_COMES, /* somebody searches, or was woken: to be looked after */
  FUT_CHILDREN_START  /* a worker should be started */
} fut_children_answer;

/* See that somebody searches, when tasks wait. With FUT_POLL for now, it is not
   looked who is slow. */
fut_children_answer fut_children_wake(fut_children *children, unsigned waiting,
                                      fut_deadline now);

/* Wake all that sleep, to end. */
void fut_children_wake_all(fut_children *children);

/* Return how many are neither asleep nor gone. Any thread, also without the
   mutex. */
unsigned fut_children_awake(const fut_children *children);

/* Send a signal to a member. */
void fut_children_signal(fut_children *children, unsigned seat, int signal);

/* Return an empty seat, which is taken from now on; children->size: none. */
unsigned fut_children_take_seat(fut_children *children);

/* The member of a seat has ended: make it empty. */
void fut_children_leave(fut_children *children, unsigned seat);

/* --- the keeper, without the mutex -------------------------------------------
 */

/* Start a worker in a seat that was taken. Return 0 or an errno. */
int fut_children_start(fut_children *children, unsigned seat);

#endif
