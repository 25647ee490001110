/* segment.h - what a process pool and its workers share: its layout in memory

   One mapping for the pool and all its workers, and one for the streams of
   each worker. A worker may be killed at any instruction, so nothing here is a
   lock, and whatever matters changes by one step on one word. The parent
   believes none of it: it checks every index and length that a worker wrote,
   and keeps what it needs to know in memory of its own. */
#ifndef FUT_SEGMENT_H
#define FUT_SEGMENT_H

#include "bell.h"
#include "stream.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
  FUT_SLOTS = 512,       /* tasks that may be handed out at a time */
  FUT_LINE = 64,         /* bytes of a cache line */
  FUT_SLOT_SPACE = 1024, /* bytes of a call or an outcome that lie in a slot */
  FUT_REPORT_SIZE = 960, /* bytes of what a worker says of its end */
  FUT_BUILD_SIZE = 64,
};

/* --- slots ------------------------------------------------------------------
   A slot holds one task that was handed out, from then until its outcome was
   collected. Its word says everything about it:

     FREE ---> READY ---> RUNNING ---> DONE ---> FREE
                 |           \-------> TAKEN ---> FREE (its worker killed)
                 \--> FREE (taken back)

   RUNNING and DONE are steps of a worker, whose number is in the word, all
   others the parent's; where both may step, each is a compare-and-swap. The
   generation grows each time a slot is handed out, so that nobody mistakes one
   task for another. STOP is set by the parent while the slot is RUNNING. */
enum fut_slot_state {
  FUT_SLOT_FREE,
  FUT_SLOT_READY,
  FUT_SLOT_RUNNING,
  FUT_SLOT_DONE,
  FUT_SLOT_TAKEN /* from a worker, which is killed and must not go on */
};

#define FUT_SLOT_STATE UINT64_C(7)
#define FUT_SLOT_STOP UINT64_C(8)
#define FUT_SLOT_SEAT_SHIFT 8        /* 24 bits: the worker's seat */
#define FUT_SLOT_GENERATION_SHIFT 32 /* 32 bits */

static inline enum fut_slot_state fut_slot_state(uint64_t word) {
  return (enum fut_slot_state)(word & FUT_SLOT_STATE);
}

static inline unsigned fut_slot_seat(uint64_t word) {
  return (unsigned)(word >> FUT_SLOT_SEAT_SHIFT) & 0xffffffu;
}

static inline uint32_t fut_slot_generation(uint64_t word) {
  return (uint32_t)(word >> FUT_SLOT_GENERATION_SHIFT);
}

static inline uint64_t fut_slot_word(uint32_t generation,
                                     enum fut_slot_state state, unsigned seat) {
  return (uint64_t)generation << FUT_SLOT_GENERATION_SHIFT |
         (uint64_t)seat << FUT_SLOT_SEAT_SHIFT | state;
}

/* What an outcome is. */
enum fut_outcome {
  FUT_OUTCOME_VALUES,
  FUT_OUTCOME_ERROR,
  FUT_OUTCOME_STOPPED /* nothing came out: the task was stopped */
};

/* Where a call stands for many things, each is begun by one step on a word of
   its own: so many were begun, and so many may be. The parent lowers the latter
   to have back what was not begun. */
static inline uint64_t fut_slot_share(uint32_t generation, unsigned started,
                                      unsigned end) {
  return (uint64_t)generation << FUT_SLOT_GENERATION_SHIFT |
         (uint64_t)started << 16 | end;
}

static inline unsigned fut_share_started(uint64_t share) {
  return (unsigned)(share >> 16) & 0xffffu;
}

static inline unsigned fut_share_end(uint64_t share) {
  return (unsigned)share & 0xffffu;
}

/* What came of each of many things is a frame: size in 4 bytes, an enum
   fut_outcome in one, the bytes. */
enum { FUT_FRAME_HEAD = 5 };

/* A slot: its word, and what comes with it, written by whose step is next,
   before that step. What small tasks use is one line, which goes from parent to
   worker and back; slots are an odd number of lines, so that they do not get
   into each other's way in caches. */
typedef struct fut_slot {
  _Alignas(FUT_LINE) _Atomic uint64_t word; /* atomic: see above */
  _Atomic uint64_t size;   /* bytes of the call, then of the outcome */
  _Atomic int64_t started; /* atomic: ns of the monotonic clock */
  uint16_t name_size;  /* bytes of the task's name, which lie before a call */
  uint16_t things;     /* that the call stands for; 0: it is a plain one */
  uint8_t outcome;     /* enum fut_outcome */
  uint8_t tell;        /* ring the parent at the start */
  atomic_bool watched; /* atomic: ring the parent at the end */
  unsigned char bytes[FUT_SLOT_SPACE]; /* what is longer goes by the streams */
  /* of many things: */
  uint16_t ended;          /* so many, in what DONE brings */
  int64_t took;            /* ns that these took */
  _Atomic uint64_t share;  /* atomic: see above */
  _Atomic uint64_t framed; /* atomic, worker writes: how many have left frames
                              in bytes, << 32, and how many bytes these are: so
                              that they outlive it */
} fut_slot;

/* Whoever writes to it soon has it at hand then. */
static inline void fut_slot_prefetch(fut_slot *slot) {
#ifdef __GNUC__
  __builtin_prefetch(slot, 1);
#else
  (void)slot;
#endif
}

_Static_assert(sizeof(fut_slot) / FUT_LINE % 2 == 1, "an odd number of lines");

/* --- seats ------------------------------------------------------------------
   A seat is a worker's place. */
enum fut_seat_state {
  FUT_SEAT_EMPTY,     /* no worker */
  FUT_SEAT_SEARCHING, /* looks for a task; or was just started, or woken */
  FUT_SEAT_BUSY,      /* has one */
  FUT_SEAT_ASLEEP,    /* sleeps, to be woken for a task: SEARCHING */
  FUT_SEAT_RETIRED,   /* ends, on its own account and for a good reason */
  FUT_SEAT_FAILED     /* ends, and has said why in its report */
};

typedef struct fut_seat {
  _Alignas(FUT_LINE) atomic_uint state; /* atomic; from ASLEEP on by
                                           compare-and-swap */
  atomic_bool opened; /* atomic: the worker has come to its first search */
  fut_bell bell;      /* the worker sleeps here */
  _Alignas(FUT_LINE) atomic_uint done_count; /* atomic, worker writes: slots
                                                ever done */
  _Atomic uint64_t taking; /* atomic, worker writes: the last ticket that it has
                              taken, or was about to */
  _Atomic uint64_t run_time; /* atomic, worker writes: ns spent in tasks */
  _Atomic uint64_t memory;   /* atomic, worker writes: bytes its state holds */
  _Atomic uint16_t done[FUT_SLOTS]; /* atomic, worker writes: in their order;
                                       the last done_count, a ring */
  _Atomic uint32_t outgoing;        /* atomic, worker writes: 1 + the slot whose
                                       outcome comes by the stream; 0: none */
  _Atomic uint64_t outgoing_size;   /* set before outgoing */
  _Atomic uint32_t many; /* atomic, worker writes: 1 + the slot of the call for
                            many things that it is at; 0: none */
  _Atomic uint32_t incoming; /* atomic, worker writes: 1 + the slot whose call
                                is to come by the stream; 0: none */
  char report[FUT_REPORT_SIZE]; /* of FAILED */
} fut_seat;

/* The mapping of a worker's own. */
typedef struct fut_seat_streams {
  fut_stream calls;    /* from the parent */
  fut_stream outcomes; /* to the parent */
} fut_seat_streams;

/* --- the whole ---------------------------------------------------------------
 */

/* A ring of tickets: slots that were made READY, in their order. A ticket is
   taken by whoever moves `taken` on; what became of the task meanwhile, the
   slot says. A worker that stops or dies between both loses a ticket, no task:
   its seat says which it was about to take, and once the parent has noticed,
   those that find no ticket look through all slots. */
typedef struct fut_tickets {
  _Alignas(FUT_LINE) atomic_uint taken; /* atomic */
  _Alignas(FUT_LINE) atomic_uint fed;   /* atomic, parent writes */
  _Alignas(FUT_LINE) _Atomic uint64_t
      words[FUT_SLOTS]; /* atomic, parent writes: slot's word, with
        its number in place of the seat */
} fut_tickets;

enum fut_phase {
  FUT_PHASE_OPEN,
  FUT_PHASE_DRAINING, /* the parent wants to know of the end of each task */
  FUT_PHASE_CLOSED    /* nothing will be handed out any more */
};

typedef struct fut_segment {
  char build[FUT_BUILD_SIZE]; /* of the library that made it */
  uint32_t seats;             /* set once */
  uint32_t settings_size;     /* set once */
  uint64_t settings_offset;   /* set once: what workers start with */
  uint64_t shelf_offset;      /* set once: see shelf.h */
  uint64_t max_tasks;         /* set once: of one worker */
  uint64_t memory_limit;      /* set once: bytes of a worker's state */
  int64_t idle_timeout;       /* set once: ns */
  uint32_t cpus;              /* set once: usable by this process */
  char name[32];              /* set once: prefix of the workers' names */
  atomic_uint phase;          /* atomic, parent writes: enum fut_phase */
  atomic_bool backlog; /* atomic, parent writes: there is more to hand out */
  atomic_uint hungry; /* atomic, parent writes: it hands more out when there are
                         fewer tickets */
  atomic_uint awaited; /* atomic, parent writes: how many wait for some of the
                          many things of a call */
  atomic_bool lost;    /* atomic, parent writes: tickets may be lost */
  atomic_bool lent;    /* atomic, parent writes: somebody has many things to do,
                          of which one that is idle could take some */
  atomic_bool
      parent_asleep; /* atomic: its keeper is to be woken by the event */
  atomic_uint
      callers; /* atomic, parent writes: threads of it that look around */
  fut_tickets tickets;
  fut_slot slots[FUT_SLOTS];
  fut_seat seat[]; /* then the settings, and the shelf */
} fut_segment;

/* What this build of the library is: parent and workers must be of one. */
extern const char fut_segment_build[FUT_BUILD_SIZE];

#endif
