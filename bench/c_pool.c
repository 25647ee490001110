/* c_pool.c - many trivial C tasks, beside GLib's GThreadPool

     c_pool [tasks [workers]]

   Each figure is the median of nine rounds, in which all take turns. GLib has
   no futures, so the fair comparison is that without handles. */
#include <glib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <futures.h>

enum { ROUNDS = 9 };

static unsigned tasks = 200000, workers = 2;

static double now(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static void *work(void *argument) { return argument; }

static void glib_work(gpointer argument, gpointer context) {
  (void)argument;
  (void)context;
}

static void check(futures_status status) {
  if (status == FUTURES_OK)
    return;
  fprintf(stderr, "%s\n", futures_status_message(status));
  exit(EXIT_FAILURE);
}

static futures_executor *pool_new(void) {
  futures_pool_options options = {.max_workers = workers};
  futures_executor *pool;
  check(futures_thread_pool_new(&options, &pool));
  return pool;
}

static void pool_end(futures_executor *pool) {
  futures_shutdown(pool, false);
  check(futures_join(pool, FUTURES_NEVER));
  futures_executor_release(pool);
}

static void ours(void) {
  futures_executor *pool = pool_new();
  for (unsigned i = 0; i < tasks; i++)
    check(futures_submit(pool, work, NULL, NULL));
  pool_end(pool);
}

static void ours_with_futures(void) {
  futures_executor *pool = pool_new();
  futures_future **fs = malloc(tasks * sizeof(futures_future *));
  for (unsigned i = 0; i < tasks; i++)
    check(futures_submit(pool, work, NULL, &fs[i]));
  check(futures_wait_all(fs, tasks, FUTURES_NEVER));
  for (unsigned i = 0; i < tasks; i++)
    futures_future_release(fs[i]);
  free(fs);
  pool_end(pool);
}

/* From two threads at once, each half of the tasks. */
static void *submit_half(void *pool) {
  for (unsigned i = 0; i < tasks / 2; i++)
    check(futures_submit(pool, work, NULL, NULL));
  return NULL;
}

static void ours_from_two(void) {
  futures_executor *pool = pool_new();
  GThread *other = g_thread_new("other", submit_half, pool);
  submit_half(pool);
  g_thread_join(other);
  pool_end(pool);
}

static void glib(void) {
  GThreadPool *pool =
      g_thread_pool_new(glib_work, NULL, (gint)workers, TRUE, NULL);
  for (unsigned i = 0; i < tasks; i++)
    g_thread_pool_push(pool, pool, NULL);
  g_thread_pool_free(pool, FALSE, TRUE);
}

static const struct {
  const char *name;
  void (*run)(void);
} contests[] = {{"GThreadPool", glib},
                {"futures", ours},
                {"futures, two submit", ours_from_two},
                {"futures, with handles", ours_with_futures}};

enum { CONTESTS = sizeof contests / sizeof *contests };

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int argc, char **argv) {
  if (argc > 1)
    tasks = (unsigned)strtoul(argv[1], NULL, 10);
  if (argc > 2)
    workers = (unsigned)strtoul(argv[2], NULL, 10);
  double rates[CONTESTS][ROUNDS];
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < CONTESTS; i++) { /* by turns: the machine changes */
      double start = now();
      contests[i].run();
      rates[i][round] = tasks / (now() - start);
    }
  printf("%u tasks, %u workers\n", tasks, workers);
  for (int i = 0; i < CONTESTS; i++) {
    qsort(rates[i], ROUNDS, sizeof rates[i][0], compare);
    double rate = rates[i][ROUNDS / 2];
    printf("%-22s %6.2f M/s  %5.2f x\n", contests[i].name, rate / 1e6,
           rate / rates[0][ROUNDS / 2]);
  }
  return 0;
}
