/* process_worker.c - a worker that is a process: its start, and its life there
 */
#include "process_self.h"

#include "shared.h"
#include "shelf.h"
#include "thread.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { SEGMENT, STREAMS, EVENT, DOORBELL, CORD, STOP, LEASE };

static const char usage[] =
    "futures-worker is started by a ProcessPoolExecutor, not by hand.\n";

/* Read the arguments; false if they are not those of a parent. */
static bool read_arguments(int argc, char **argv,
                           fut_process_worker_inheritance *inheritance) {
  if (argc != 2)
    return false;
  long parent;
  int *fds = inheritance->fds;
  if (sscanf(argv[1], "%ld:%u:%d,%d,%d,%d,%d,%d,%d", &parent,
             &inheritance->seat, &fds[0], &fds[1], &fds[2], &fds[3], &fds[4],
             &fds[5], &fds[6]) != 2 + FUT_INHERITED)
    return false;
  inheritance->parent = (pid_t)parent;
  return true;
}

bool fut_process_worker_asked(int argc, char **argv) {
  fut_process_worker_inheritance inheritance;
  return read_arguments(argc, argv, &inheritance);
}

int fut_process_worker_start(fut_process *process, const char *program,
                             fut_process_worker_inheritance *inheritance) {
  char text[160];
  int *fds = inheritance->fds;
  int failed = fut_process_prepare(process);
  if (failed)
    return failed;
  fds[LEASE] = process->lease;
  snprintf(text, sizeof text, "%ld:%u:%d,%d,%d,%d,%d,%d,%d",
           (long)inheritance->parent, inheritance->seat, fds[0], fds[1], fds[2],
           fds[3], fds[4], fds[5], fds[6]);
  char *arguments[] = {(char *)(uintptr_t)program, text, NULL};
  return fut_process_start(process, program, arguments, fds, FUT_INHERITED);
}

/* Map what is shared. Return NULL, or what is wrong. */
static const char *open_shared(fut_process_self *self, const int *fds) {
  fut_shared segment, streams;
  if (fut_shared_open(&segment, fds[SEGMENT]) != FUT_OK ||
      segment.size < sizeof(fut_segment) + FUT_SHELF_SIZE)
    return "the shared memory is not to be had";
  self->segment = segment.base;
  if (memcmp(self->segment->build, fut_segment_build, FUT_BUILD_SIZE) != 0)
    return "futures-worker belongs to another build of the library";
  if (self->number >= self->segment->seats)
    return "there is no such seat";
  self->seat = &self->segment->seat[self->number];
  if (fut_shared_open(&streams, fds[STREAMS]) != FUT_OK ||
      streams.size < sizeof(fut_seat_streams))
    return "the shared memory is not to be had";
  self->streams = streams.base;
  self->event = (fut_event){-1, fds[EVENT]};
  self->stop = (fut_event){fds[STOP], -1};
  self->doorbell = fut_doorbell_open(fds[DOORBELL]);
  self->cord = (fut_bell_cord){fds[CORD], -1};
  return NULL;
}

/* Make what the tasks share: false, with a report, if that fails. */
static bool open_local(fut_process_self *self) {
  const fut_segment *segment = self->segment;
  char name[sizeof segment->name + 16];
  snprintf(name, sizeof name, "%s-%u", segment->name, self->number + 1);
  fut_thread_name(name);
  const unsigned char *base = (const unsigned char *)segment;
  fut_process_given given = {.settings = base + segment->settings_offset,
                             .settings_size = segment->settings_size,
                             .memory_limit = (size_t)segment->memory_limit,
                             .name = name,
                             .shelf = base + segment->shelf_offset,
                             .shelf_size = FUT_SHELF_SIZE};
  self->local = self->ops->open(&given, self->number + 1, self->seat->report,
                                FUT_REPORT_SIZE);
  if (self->local == NULL) {
    atomic_store(&self->seat->state, FUT_SEAT_FAILED);
    return false;
  }
  atomic_store(&self->seat->opened, true);
  return true;
}

void fut_process_self_ring_keeper(fut_process_self *self) {
  if (atomic_load(&self->segment->parent_asleep))
    fut_event_set(&self->event);
}

void fut_process_self_ring_parent(fut_process_self *self) {
  if (self->doorbell && atomic_load(&self->doorbell->asleep) > 0)
    fut_doorbell_ring(self->doorbell);
  else
    fut_process_self_ring_keeper(self);
}

void fut_process_self_ring_waiting(fut_process_self *self) {
  /* who leaves the doorbell looks once more, and is awaiting still */
  if (self->doorbell && atomic_load(&self->doorbell->asleep) > 0)
    fut_doorbell_ring(self->doorbell);
  else if (atomic_load(&self->segment->awaited) > 0)
    fut_process_self_ring_keeper(self);
}

static void work(fut_process_self *self) {
  uint64_t tasks = 0;
  while (fut_process_self_next(self)) {
    fut_process_self_run(self);
    if (++tasks == self->segment->max_tasks) {
      atomic_store(&self->seat->state, FUT_SEAT_RETIRED);
      if (atomic_load(&self->segment->backlog)) /* we were to look at it */
        fut_process_self_ring_keeper(self);
      return;
    }
  }
}

int fut_process_worker_main(int argc, char **argv,
                            const fut_process_worker_ops *ops) {
  static fut_process_self self; /* the guardian never ends */
  fut_process_worker_inheritance inheritance;
  if (!read_arguments(argc, argv, &inheritance)) {
    fputs(usage, stderr);
    return 2;
  }
  fut_process_settle(inheritance.fds, FUT_INHERITED);
  for (int i = 0; i < FUT_INHERITED;
       i++) /* not for programs that tasks start */
    if (inheritance.fds[i] >= 0)
      fcntl(inheritance.fds[i], F_SETFD, FD_CLOEXEC);
  self.ops = ops;
  self.number = inheritance.seat;
  self.parent = inheritance.parent;
  self.at = FUT_SLOTS;
  self.searching = true; /* as the parent has set our seat */
  const char *problem = open_shared(&self, inheritance.fds);
  if (problem) {
    fprintf(stderr, "%s\n", problem);
    return 3;
  }
  static fut_thread guardian; /* it may begin when we have ended */
  if (fut_thread_start(&guardian, fut_process_self_guard, &self) != FUT_OK) {
    fprintf(stderr, "%s\n", fut_err_message(FUT_ETHREAD));
    return 3;
  }
  if (!open_local(&self))
    return 3;
  work(&self);
  ops->close(self.local);
  return 0;
}
