/* room.c - how many tasks of an executor may wait, and who waits for room

   Why nobody waits in vain: whoever wants a place sets `wanted`, then looks at
   `taken`; whoever gives one back lowers `taken`, then looks at `wanted`. All
   four steps are sequentially consistent, so one of both sees the other. */
#include "room.h"

#include "check.h"

static void nothing(fut_future *future) { (void)future; }

static const fut_future_kind vacancy_kind = {
    .object = {"vacancy", fut_future_free}, .fini = nothing};

void fut_room_init(fut_room *room, size_t limit, fut_arena *arena) {
  room->limit = limit;
  atomic_init(&room->taken, 0);
  atomic_init(&room->wanted, false);
  fut_mutex_init(&room->mutex);
  room->vacancy = NULL;
  room->arena = arena;
}

void fut_room_fini(fut_room *room) {
  fut_room_open(room);
  fut_mutex_fini(&room->mutex);
}

bool fut_room_enter(fut_room *room) {
  if (room->limit == SIZE_MAX)
    return true;
  size_t taken = atomic_load(&room->taken);
  while (taken < room->limit)
    if (atomic_compare_exchange_weak(&room->taken, &taken, taken + 1))
      return true;
  return false;
}

size_t fut_room_taken(const fut_room *room) {
  return atomic_load(&room->taken);
}

void fut_room_leave(fut_room *room) {
  if (room->limit == SIZE_MAX)
    return;
  CHECK(atomic_fetch_sub(&room->taken, 1) > 0);
  if (atomic_load(&room->wanted))
    fut_room_open(room);
}

void fut_room_open(fut_room *room) {
  fut_mutex_lock(&room->mutex);
  fut_future *vacancy = room->vacancy;
  room->vacancy = NULL;
  atomic_store(&room->wanted, false);
  fut_mutex_unlock(&room->mutex);
  if (vacancy == NULL)
    return;
  fut_future_end(vacancy, FUT_FINISHED);
  fut_future_release(vacancy, NULL);
}

fut_future *fut_room_vacancy(fut_room *room) {
  fut_mutex_lock(&room->mutex);
  fut_future *vacancy = room->vacancy;
  if (vacancy && fut_state_done(fut_future_state(vacancy))) {
    fut_future_release(vacancy, NULL); /* ended by one who gave up waiting */
    vacancy = room->vacancy = NULL;
  }
  if (vacancy == NULL && (vacancy = fut_arena_take(room->arena)) != NULL) {
    fut_future_init(vacancy, &vacancy_kind, room->arena);
    room->vacancy = vacancy;
  }
  if (vacancy)
    fut_object_hold(&vacancy->object);
  atomic_store(&room->wanted, vacancy != NULL);
  fut_mutex_unlock(&room->mutex);
  if (atomic_load(&room->taken) < room->limit)
    fut_room_open(room);
  return vacancy;
}
