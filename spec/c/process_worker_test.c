/* process_worker_test.c - a worker that is a process: its start, and its end */
#include "process_worker.h"

#include "event.h"
#include "segment.h"
#include "shared.h"
#include "shelf.h"
#include "support/await.h"
#include "support/board.h"
#include "support/cases.h"
#include "support/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

/* What a parent shares with one worker. */
typedef struct parent {
  fut_shared segment, streams;
  fut_event event, stop;
  fut_bell_cord cord;
  board *board;
  char path[64];
  fut_process process;
} parent;

static fut_segment *segment_of(parent *own) { return own->segment.base; }

static void parent_init(parent *own) {
  own->board = board_new(own->path, sizeof own->path);
  assert_non_null(own->board);
  char settings[100];
  snprintf(settings, sizeof settings, "work %s", own->path);
  size_t at = sizeof(fut_segment) + sizeof(fut_seat);
  size_t shelf = at + sizeof settings;
  assert_int_equal(fut_shared_new(&own->segment, shelf + FUT_SHELF_SIZE),
                   FUT_OK);
  assert_int_equal(fut_shared_new(&own->streams, sizeof(fut_seat_streams)),
                   FUT_OK);
  assert_int_equal(fut_event_open(&own->event), FUT_OK);
  assert_int_equal(fut_event_open(&own->stop), FUT_OK);
  assert_int_equal(fut_bell_cord_open(&own->cord), FUT_OK);
  fut_segment *segment = segment_of(own);
  memcpy(segment->build, fut_segment_build, FUT_BUILD_SIZE);
  segment->seats = 1;
  segment->settings_offset = at;
  segment->shelf_offset = shelf;
  segment->settings_size = (uint32_t)strlen(settings);
  memcpy((char *)segment + at, settings, strlen(settings));
  segment->max_tasks = segment->memory_limit = UINT64_MAX;
  segment->idle_timeout = FUT_NEVER;
  segment->cpus = 1;
  strcpy(segment->name, "lonely");
  atomic_store(&segment->seat[0].state, FUT_SEAT_SEARCHING);
}

static void parent_fini(parent *own) {
  fut_shared_close(&own->segment);
  fut_shared_close(&own->streams);
  fut_event_close(&own->event);
  fut_event_close(&own->stop);
  fut_bell_cord_close(&own->cord);
  board_free(own->board, own->path);
}

/* held is a descriptor that the worker holds to its end; -1: none. */
static int start_holding(parent *own, unsigned seat, int held) {
  fut_process_worker_inheritance inheritance = {
      .parent = getpid(),
      .seat = seat,
      .fds = {own->segment.fd, own->streams.fd, own->event.writable, held,
              own->cord.sleeper, own->stop.readable, -1}};
  return fut_process_worker_start(&own->process, WORKER_PROGRAM, &inheritance);
}

static int start(parent *own, unsigned seat) {
  return start_holding(own, seat, -1);
}

static fut_process_end end_of(parent *own) {
  struct pollfd fd = {.fd = own->process.watch, .events = POLLIN};
  fut_process_end end = {FUT_END_UNKNOWN, -1};
  fut_deadline limit = fut_deadline_after(within(20));
  while (!fut_process_bury(&own->process, &end)) {
    assert_true(fut_deadline_left(limit) > 0);
    poll(&fd, 1, 100);
  }
  return end;
}

static bool asleep(void *context) {
  return atomic_load(&segment_of(context)->seat[0].state) == FUT_SEAT_ASLEEP;
}

/* Close the pool and wake the worker for that. */
static void wake(parent *own) {
  fut_seat *seat = &segment_of(own)->seat[0];
  atomic_store(&segment_of(own)->phase, FUT_PHASE_CLOSED);
  atomic_store(&seat->state, FUT_SEAT_SEARCHING);
  fut_bell_ring(&seat->bell, &own->cord);
}

static void lives(void **unused) {
  (void)unused;
  parent own;
  parent_init(&own);
  assert_int_equal(start(&own, 0), 0);
  assert_true(eventually(asleep, &own));
  assert_true(atomic_load(&segment_of(&own)->seat[0].opened));
  assert_int_equal(atomic_load(&own.board->born), 1);
  wake(&own);
  fut_process_end end = end_of(&own);
  assert_int_equal(end.how, FUT_END_EXIT);
  assert_int_equal(end.code, 0);
  assert_int_equal(atomic_load(&own.board->died), 1);
  assert_int_equal(atomic_load(&segment_of(&own)->seat[0].state),
                   FUT_SEAT_RETIRED);
  parent_fini(&own);
}

/* --- no worker -------------------------------------------------------------
 */

static void another_build(void **unused) {
  (void)unused;
  parent own;
  parent_init(&own);
  segment_of(&own)->build[0] ^= 1;
  assert_int_equal(start(&own, 0), 0);
  assert_int_equal(end_of(&own).code, 3);
  assert_int_equal(atomic_load(&own.board->born), 0);
  parent_fini(&own);
}

static void no_seat(void **unused) {
  (void)unused;
  parent own;
  parent_init(&own);
  assert_int_equal(start(&own, 1), 0);
  assert_int_equal(end_of(&own).code, 3);
  parent_fini(&own);
}

static void by_hand(void **unused) {
  (void)unused;
  char program[] = WORKER_PROGRAM, nonsense[] = "nonsense", none[] = "1:0:3,4";
  char *const arguments[][3] = {
      {program, NULL, NULL}, {program, nonsense, NULL}, {program, none, NULL}};
  for (int i = 0; i < 3; i++) {
    parent own;
    assert_int_equal(fut_process_prepare(&own.process), 0);
    assert_int_equal(fut_process_start(&own.process, program, arguments[i],
                                       &own.process.lease, 1),
                     0);
    fut_process_end end = end_of(&own);
    assert_int_equal(end.how, FUT_END_EXIT);
    assert_int_equal(end.code, 2);
  }
}

/* --- the end of its parent -------------------------------------------------
 */

typedef struct mortal {
  parent own;
  int ends[2]; /* of a pipe, which the worker holds open */
} mortal;

/* Be the parent of a worker, and die. */
static int die_as_parent(void *context) {
  mortal *self = context;
  if (start_holding(&self->own, 0, self->ends[1]) != 0 ||
      !eventually(asleep, &self->own))
    return 1;
  raise(SIGKILL);
  return 2;
}

static void parent_killed(void **unused) {
  (void)unused;
  mortal self;
  parent_init(&self.own);
  assert_int_equal(pipe(self.ends), 0);
  pid_t child = child_start(die_as_parent, &self);
  close(self.ends[1]);
  int status = child_wait(child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  struct pollfd fd = {.fd = self.ends[0], .events = POLLIN};
  assert_int_equal(poll(&fd, 1, (int)(within(20) * 1000)), 1);
  assert_true(fd.revents & POLLHUP); /* nobody holds it: the worker is gone */
  close(self.ends[0]);
  assert_int_equal(atomic_load(&self.own.board->born), 1);
  assert_int_equal(atomic_load(&self.own.board->died), 0); /* at once */
  parent_fini(&self.own);
}

static const struct CMUnitTest process_worker_tests[] = {
    CASE("a worker comes, sleeps, and ends when nothing is left", lives),
    CASE("a worker of another build does not begin", another_build),
    CASE("a worker without a seat does not begin", no_seat),
    CASE("a worker that is started by hand explains itself", by_hand),
    CASE("a worker ends when its parent is killed", parent_killed),
};

int main(void) {
  return cmocka_run_group_tests(process_worker_tests, NULL, NULL);
}
