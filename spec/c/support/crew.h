/* crew.h - several threads that begin the same work at the same moment */
#ifndef SPEC_CREW_H
#define SPEC_CREW_H

#include "cases.h"
#include "thread.h"

#include <sched.h>
#include <stdatomic.h>

#define CREW_LIMIT 64

typedef struct crew crew;

typedef struct crew_member {
  crew *crew;
  unsigned index; /* 0, 1, ... */
  fut_thread thread;
} crew_member;

struct crew {
  void (*work)(void *context, unsigned index);
  void *context;
  unsigned size;
  atomic_uint missing; /* atomic: members not yet at the line */
  crew_member members[CREW_LIMIT];
};

static inline void crew_member_main(void *argument) {
  crew_member *member = argument;
  crew *whole = member->crew;
  atomic_fetch_sub(&whole->missing, 1);
  while (atomic_load(&whole->missing) > 0)
    sched_yield();
  whole->work(whole->context, member->index);
}

/* Start work(context, 0) to work(context, size - 1), a thread each. */
static inline void crew_start(crew *whole, unsigned size,
                              void (*work)(void *context, unsigned index),
                              void *context) {
  assert_in_range(size, 1, CREW_LIMIT);
  whole->work = work;
  whole->context = context;
  whole->size = size;
  atomic_init(&whole->missing, size);
  for (unsigned i = 0; i < size; i++) {
    whole->members[i].crew = whole;
    whole->members[i].index = i;
    assert_int_equal(fut_thread_start(&whole->members[i].thread,
                                      crew_member_main, &whole->members[i]),
                     FUT_OK);
  }
}

static inline void crew_join(crew *whole) {
  for (unsigned i = 0; i < whole->size; i++)
    fut_thread_join(whole->members[i].thread);
}

/* Do the work and wait for its end. */
static inline void crew_run(unsigned size,
                            void (*work)(void *context, unsigned index),
                            void *context) {
  crew whole;
  crew_start(&whole, size, work, context);
  crew_join(&whole);
}

#endif
