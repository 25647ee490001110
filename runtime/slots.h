/* slots.h - the tasks that a process pool has handed out, as the parent sees
   them */
#ifndef FUT_SLOTS_H
#define FUT_SLOTS_H

#include "heap.h"
#include "segment.h"

#include <stdbool.h>

/* What the parent knows of a slot; the segment tells the rest. */
typedef struct fut_handed {
  fut_task *task;      /* the queue's reference; NULL: the slot is free */
  uint32_t generation; /* grows each time */
  uint16_t next;       /* of the free ones: 1 + another, 0: the last */
  bool tell;           /* the worker rings at the start */
  bool started;        /* seen RUNNING */
  bool stopping;       /* its worker was asked to stop it */
  unsigned things;     /* of a task that is many: lent with it */
  fut_deadline since;  /* of such a task: when it was handed out */
  unsigned
      delivered; /* of such a task: things, and the bytes of their frames */
  size_t frames;
  fut_err why;        /* ... for this: FUT_OK for cancel(), or FUT_ETIMEDOUT */
  fut_deadline limit; /* when its time is up; FUT_NEVER */
  fut_deadline kill_at; /* when its worker is killed if it goes on; FUT_NEVER */
  size_t sent;          /* of a call that goes by stream */
  unsigned char *room; /* the task's, for an outcome that comes by stream; NULL:
                          no memory */
  uint64_t size;       /* of that; 0 until it begins */
  size_t received;     /* of that */
} fut_handed;

/* Embedded in a pool, whose mutex every function assumes held. */
typedef struct fut_slots {
  fut_segment *segment;
  uint16_t free;     /* 1 + the first free one; 0: none */
  unsigned used;     /* slots that are not free */
  unsigned stopping; /* of those, being stopped */
  bool sorted;       /* tasks of a priority were seen: hand few out ahead */
  unsigned telling;  /* of those, whose start the parent wants to know */
  unsigned many;     /* of those, with more than one thing to do */
  unsigned fed;      /* tickets ever fed */
  unsigned told;     /* of those, the truth of tickets.fed */
  unsigned places;   /* so many more have a place, or more */
  double lowest;     /* no task that waits for a worker has a lower priority */
  bool lost;         /* the truth of segment.lost */
  uint64_t completed, failed, cancelled; /* tasks that have left a slot so */
  int64_t many_took;   /* ns that what was lent at a time took, about */
  uint64_t queue_time; /* ns that those which started had waited */
  fut_heap back;       /* tasks that were taken back, to go before others */
  fut_handed handed[FUT_SLOTS];
} fut_slots;

void fut_slots_init(fut_slots *slots, fut_segment *segment);

/* Whether a task can be handed out: there is a slot, and place for its ticket.
 */
bool fut_slots_room(fut_slots *slots);

/* Hand a task out, with the queue's reference to it. tell: the parent wants to
   know when it starts. A task that is many with nothing to do ends: false.
   Requires room. To be published. */
bool fut_slots_hand_out(fut_slots *slots, fut_task *task, bool tell);

/* Have workers see what was handed out. */
void fut_slots_publish(fut_slots *slots);

/* Tickets may be lost: tasks may wait that have none. */
void fut_slots_lose(fut_slots *slots);

/* Return how many tasks wait for a worker, or more: tickets may be stale. */
unsigned fut_slots_waiting(fut_slots *slots);

/* Take the task in a slot back, unless a worker has it: return it, with the
   queue's reference, or NULL. */
fut_task *fut_slots_take_back(fut_slots *slots, unsigned slot);

/* Deliver what has ended of the many things that a worker does for a slot. */
void fut_slots_deliver(fut_slots *slots, unsigned slot);

/* Of the many things that a worker does for a slot, take back those that it has
   not begun, if it came to the first of them before that time: whether there
   were any. */
bool fut_slots_cut(fut_slots *slots, unsigned slot, fut_deadline before);

/* Return when the worker of a slot that has more things to do came to the first
   of them; FUT_NEVER if there is none. */
fut_deadline fut_slots_since(const fut_slots *slots, unsigned slot);

/* Take all back that no worker has, into `back`. */
void fut_slots_recall(fut_slots *slots);

/* Return the word of a slot, which is the truth of this moment. */
static inline uint64_t fut_slots_word(const fut_slots *slots, unsigned slot) {
  return atomic_load(&slots->segment->slots[slot].word);
}

/* The task in a slot has been seen to run. */
void fut_slots_started(fut_slots *slots, unsigned slot);

/* See which of the tasks that tell have started. */
void fut_slots_look(fut_slots *slots);

/* Ask for the task in a slot, which a worker has, to be stopped, with that
   outcome: false if it is done. Its worker is still to be told. */
bool fut_slots_stop(fut_slots *slots, unsigned slot, fut_err why,
                    fut_deadline kill_at);

/* Take the task in a slot from its worker, which must be killed: false if it is
   done. The slot stays as it is until that is buried: it may still write. */
bool fut_slots_take(fut_slots *slots, unsigned slot);

/* Whether the task in a slot was done by the worker in that seat. */
bool fut_slots_done(const fut_slots *slots, unsigned slot, unsigned seat);

/* The task in a slot is done, its outcome there or received: end it and free
   the slot. */
void fut_slots_collect(fut_slots *slots, unsigned slot);

/* Return the task of a slot, which is free from now on. */
fut_task *fut_slots_release(fut_slots *slots, unsigned slot);

/* The task in a slot will not end by itself: fail it, or (FUT_OK) cancel it,
   and free the slot. message as for fail of its kind. */
void fut_slots_abandon(fut_slots *slots, unsigned slot, fut_err why,
                       const char *message);

#endif
