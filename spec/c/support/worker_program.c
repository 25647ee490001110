/* worker_program.c - a worker of a process pool that knows no Lua: its calls
   are a word and what follows it

   The settings are a word and the path of a board (board.h). */
#include "process_worker.h"

#include "board.h"
#include "segment.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

struct fut_process_local {
  board *board;
  atomic_bool stop;     /* atomic: the call is to stop */
  unsigned char *bytes; /* of the last outcome */
  size_t mapped;        /* bytes of a mapping instead; 0: none */
  bool crash_at_end;
};

static fut_segment *segment; /* mapped once more, to scribble on */
static unsigned seat;

static void doze(void) {
  nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* --- outcomes --------------------------------------------------------------
 */

static void let_go(fut_process_local *local) {
  if (local->mapped)
    munmap(local->bytes, local->mapped);
  else
    free(local->bytes);
  local->bytes = NULL;
  local->mapped = 0;
}

static void answer(fut_process_local *local, const void *bytes, size_t size,
                   fut_process_outcome *outcome) {
  local->bytes = malloc(size + 1);
  memcpy(local->bytes, bytes, size);
  outcome->bytes = local->bytes;
  outcome->size = size;
}

/* --- calls -----------------------------------------------------------------
 */

typedef struct order {
  fut_process_local *local;
  const char *name;
  const unsigned char *bytes; /* what follows the word */
  size_t size;
  long number; /* if that is one */
  fut_process_outcome *outcome;
} order;

static void echo(const order *own) {
  answer(own->local, own->bytes, own->size, own->outcome);
}

static void fail(const order *own) {
  echo(own);
  own->outcome->failed = true;
}

static void name(const order *own) {
  const char *text = own->name ? own->name : "(none)";
  answer(own->local, text, strlen(text), own->outcome);
}

static void pid(const order *own) {
  char text[20];
  int size = snprintf(text, sizeof text, "%ld", (long)getpid());
  answer(own->local, text, (size_t)size, own->outcome);
}

static void make_big(const order *own) {
  size_t size = (size_t)own->number;
  own->local->bytes = malloc(size + 1);
  board_fill(own->local->bytes, size);
  own->outcome->bytes = own->local->bytes;
  own->outcome->size = size;
}

static void check(const order *own) {
  const char *text = board_filled(own->bytes, own->size) ? "good" : "bad";
  answer(own->local, text, strlen(text), own->outcome);
}

static void write_down(const order *own) {
  board *at = own->local->board;
  unsigned place = atomic_fetch_add(&at->length, 1);
  if (place < BOARD_ENTRIES)
    atomic_store(&at->entries[place], (unsigned)own->number);
}

static void stand_in_gate(const order *own) {
  board *at = own->local->board;
  atomic_store(&at->gates[own->number].entered, (int)getpid());
  while (!atomic_load(&at->gates[own->number].opened))
    doze();
  atomic_store(&at->gates[own->number].entered, 0);
  answer(own->local, "gone", 4, own->outcome);
}

/* As a gate, but it can be stopped. */
static void run_until_stopped(const order *own) {
  atomic_store(&own->local->board->gates[own->number].entered, (int)getpid());
  while (!atomic_load(&own->local->stop))
    doze();
  own->outcome->stopped = true;
}

static void run_for_ever(const order *own) {
  atomic_store(&own->local->board->gates[own->number].entered, (int)getpid());
  for (;;)
    doze();
}

/* --- calls that end badly --------------------------------------------------
 */

static void leave(const order *own) { _exit((int)own->number); }

static void die(const order *own) {
  kill(getpid(), (int)own->number);
  for (;;)
    doze();
}

/* An outcome whose second half cannot be read: we die while we send it. */
static void tear(const order *own) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t half = ((size_t)own->number + page - 1) / page * page;
  unsigned char *bytes = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED || mprotect(bytes + half, half, PROT_NONE) != 0)
    _exit(99);
  own->local->bytes = bytes;
  own->local->mapped = 2 * half;
  own->outcome->bytes = bytes;
  own->outcome->size = 2 * half;
}

static void crash_at_end(const order *own) { own->local->crash_at_end = true; }

/* Write nonsense over what is shared, as a wild pointer would. */
static void scribble(const order *own) {
  fut_seat *place = &segment->seat[seat];
  switch (own->number) {
  case 0:
    atomic_fetch_add(&place->done_count, 1000000);
    break;
  case 1:
    for (unsigned i = 0; i < FUT_SLOTS; i++)
      atomic_store(&place->done[i], (uint16_t)(i * 977));
    atomic_fetch_add(&place->done_count, FUT_SLOTS);
    break;
  case 2:
    atomic_store(&place->incoming, UINT32_MAX);
    atomic_store(&place->outgoing, UINT32_MAX - 1);
    break;
  case 3:
    memset(place->report, 'x', sizeof place->report);
    atomic_store(&place->state, FUT_SEAT_FAILED);
    break;
  case 4:
    for (unsigned i = 0; i < FUT_SLOTS; i++)
      segment->slots[i].size = UINT64_MAX - i;
    break;
  case 5:
    for (unsigned i = 0; i < FUT_SLOTS; i++)
      if (fut_slot_state(atomic_load(&segment->slots[i].word)) == FUT_SLOT_FREE)
        atomic_store(&segment->slots[i].word,
                     (uint64_t)i * 0x9e3779b97f4a7c15u);
    break;
  case 6:
    atomic_store(&place->state, 4711);
    break;
  }
  _exit(9);
}

static const struct {
  const char *word;
  void (*run)(const order *own);
} orders[] = {{"echo", echo},
              {"fail", fail},
              {"name", name},
              {"pid", pid},
              {"big", make_big},
              {"check", check},
              {"write", write_down},
              {"gate", stand_in_gate},
              {"stoppable", run_until_stopped},
              {"stubborn", run_for_ever},
              {"exit", leave},
              {"signal", die},
              {"tear", tear},
              {"crash-at-end", crash_at_end},
              {"scribble", scribble}};

static void run(fut_process_local *local, const fut_call *call,
                fut_process_outcome *outcome) {
  let_go(local);
  atomic_store(&local->stop, false);
  char head[32] = "";
  for (size_t i = 0; i < call->size && i < sizeof head - 1; i++)
    head[i] = (char)call->bytes[i];
  size_t length = strcspn(head, " ");
  order own = {.local = local,
               .name = call->name,
               .bytes = (const unsigned char *)"",
               .outcome = outcome};
  if (length < call->size) {
    own.bytes = call->bytes + length + 1;
    own.size = call->size - length - 1;
    own.number = strtol(head + length, NULL, 10);
  }
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
    if (strlen(orders[i].word) == length &&
        memcmp(orders[i].word, head, length) == 0) {
      orders[i].run(&own);
      return;
    }
  outcome->failed = true;
}

/* --- the rest of a worker --------------------------------------------------
 */

static fut_process_local *open_local(const fut_process_given *given,
                                     unsigned number, char *report,
                                     size_t size) {
  (void)number;
  char text[200];
  snprintf(text, sizeof text, "%.*s", (int)given->settings_size,
           (const char *)given->settings);
  char *path = strchr(text, ' ');
  if (path == NULL)
    _exit(98);
  *path++ = '\0';
  board *at = board_map(path);
  if (at == NULL)
    _exit(97);
  atomic_fetch_add(&at->born, 1);
  if (strcmp(text, "exit") == 0)
    _exit(7);
  if (strcmp(text, "refuse") == 0) {
    snprintf(report, size, "%s does not want to", given->name);
    return NULL;
  }
  fut_process_local *local = calloc(1, sizeof *local);
  local->board = at;
  return local;
}

static void stop(fut_process_local *local) {
  atomic_fetch_add(&local->board->stops, 1);
  atomic_store(&local->stop, true);
}

static size_t memory(fut_process_local *local) {
  (void)local;
  return 4711;
}

static void close_local(fut_process_local *local) {
  if (local->crash_at_end)
    _exit(6);
  atomic_fetch_add(&local->board->died, 1);
  let_go(local);
  munmap(local->board, sizeof *local->board);
  free(local);
}

static const fut_process_worker_ops ops = {.open = open_local,
                                           .run = run,
                                           .stop = stop,
                                           .memory = memory,
                                           .close = close_local};

/* The descriptor of the segment is the first in the list. */
static void map_segment(const char *arguments) {
  int fd = -1;
  struct stat file;
  if (sscanf(arguments, "%*d:%u:%d", &seat, &fd) == 2 && fstat(fd, &file) == 0)
    segment = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);
}

int main(int argc, char **argv) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none); /* we die on purpose */
  signal(SIGSEGV, SIG_DFL);      /* a sanitizer would say more than we want */
  signal(SIGBUS, SIG_DFL);
  if (argc == 2)
    map_segment(argv[1]);
  return fut_process_worker_main(argc, argv, &ops);
}
