/* room.h - how many tasks of an executor may wait, and who waits for room */
#ifndef FUT_ROOM_H
#define FUT_ROOM_H

#include "future.h"
#include "thread.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Embedded. Any thread may call any function but init and fini. */
typedef struct fut_room {
  size_t limit;        /* set once; SIZE_MAX: none, and nothing is counted */
  atomic_size_t taken; /* atomic: tasks that wait */
  atomic_bool wanted;  /* atomic: somebody waits for `vacancy` */
  fut_mutex mutex;     /* nothing is taken under it */
  fut_future *vacancy; /* guarded by mutex: a reference; NULL: none wanted */
  fut_arena *arena;    /* of vacancies; taken from under mutex; borrowed */
} fut_room;

/* Requires that only the holder of the room's mutex takes from arena. */
void fut_room_init(fut_room *room, size_t limit, fut_arena *arena);

/* Requires that nobody uses the room or will. */
void fut_room_fini(fut_room *room);

/* Take a place for one more task: false if there is none. Never blocks. */
bool fut_room_enter(fut_room *room);

/* Give a place back. Never blocks. */
void fut_room_leave(fut_room *room);

/* Return how many places are taken, 0 without a limit. */
size_t fut_room_taken(const fut_room *room);

/* Return a future that ends as soon as there is a place, or there never will
   be one any more (fut_room_open); NULL if memory ran out. The caller owns the
   reference. */
fut_future *fut_room_vacancy(fut_room *room);

/* End what is waited for: those who wait shall try again. */
void fut_room_open(fut_room *room);

#endif
