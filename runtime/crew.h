/* crew.h - the workers of a process pool, as the parent sees them */
#ifndef FUT_CREW_H
#define FUT_CREW_H

#include "event.h"
#include "process.h"
#include "shared.h"
#include "slots.h"

/* What the parent knows of the worker in a seat. */
typedef struct fut_crew_member {
  bool present;         /* there is a process, or one is being started */
  bool started;         /* ... and the rest of this is filled in */
  bool expected;        /* its end is our doing */
  bool slow;            /* woken, but it does not come: count on others */
  fut_deadline kill_at; /* when it is to be killed, if it is there then */
  fut_deadline called;  /* since when it has been seen SEARCHING */
  fut_process process;
  fut_shared streams;
  fut_bell_cord cord;
  fut_event stop; /* wakes its guardian */
  unsigned done;  /* how many of its done slots were collected */
  uint64_t call_position, outcome_position; /* in its streams */
} fut_crew_member;

/* Embedded in a pool, whose mutex guards it; what is started or buried is the
   keeper's meanwhile. */
typedef struct fut_crew {
  fut_segment *segment;
  int segment_fd;
  fut_event event;     /* wakes the keeper; the workers hold it too */
  const char *program; /* set once: owned */
  unsigned size;       /* set once: seats */
  unsigned present;    /* members there or being started */
  unsigned failures;   /* starts in a row that came to nothing */
  fut_crew_member *members;
} fut_crew;

/* Take over the program's path and the descriptors; FUT_ENOMEM. */
fut_err fut_crew_init(fut_crew *crew, fut_segment *segment, int segment_fd,
                      char *program, unsigned size);
/* Requires that nobody is present. */
void fut_crew_fini(fut_crew *crew);

/* --- the mutex held ----------------------------------------------------------
 */

/* Move what is on its way through the streams of a member, and collect the
   tasks that it has done. */
void fut_crew_collect(fut_crew *crew, unsigned seat, fut_slots *slots);

/* Collect a task that the worker in a seat has done. */
void fut_crew_collect_slot(fut_crew *crew, unsigned seat, fut_slots *slots,
                           unsigned slot);

typedef enum fut_crew_answer {
  FUT_CREW_BUSY,  /* all are, and will look for more */
  FUT_CREW_COMES, /* somebody searches, or was woken: to be looked after */
  FUT_CREW_START  /* a worker should be started */
} fut_crew_answer;

/* See that somebody searches, when tasks wait. With FUT_POLL for now, it is not
   looked who is slow. */
fut_crew_answer fut_crew_wake(fut_crew *crew, unsigned waiting,
                              fut_deadline now);

/* Wake all that sleep, to end. */
void fut_crew_wake_all(fut_crew *crew);

/* Return how many are neither asleep nor gone. Any thread, also without the
   mutex. */
unsigned fut_crew_awake(const fut_crew *crew);

/* Send a signal to a member. */
void fut_crew_signal(fut_crew *crew, unsigned seat, int signal);

/* Return an empty seat, which is taken from now on; crew->size: none. */
unsigned fut_crew_take_seat(fut_crew *crew);

/* The member of a seat has ended: make it empty. */
void fut_crew_leave(fut_crew *crew, unsigned seat);

/* --- the keeper, without the mutex -------------------------------------------
 */

/* Start a worker in a seat that was taken. Return 0 or an errno. */
int fut_crew_start(fut_crew *crew, unsigned seat);

#endif
