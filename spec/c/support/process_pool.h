/* process_pool.h - a process pool in a test, from its making to its end */
#ifndef SPEC_PROCESS_POOL_H
#define SPEC_PROCESS_POOL_H

#include "await.h"
#include "board.h"
#include "call.h"
#include "process_pool.h"

/* A pool, and what belongs to it. Used by one thread. */
typedef struct team {
  fut_process_pool_options options;
  char path[64], settings[128];
  board *board;
  fut_arena *arena;
  fut_executor *pool;
} team;

/* Fill in the options; the word is what workers are to do at their start. */
static inline void team_init(team *at, unsigned workers, const char *word) {
  at->board = board_new(at->path, sizeof at->path);
  assert_non_null(at->board);
  snprintf(at->settings, sizeof at->settings, "%s %s", word, at->path);
  at->options = (fut_process_pool_options){
      .pool = fut_pool_options_of(workers, "test"),
      .program = WORKER_PROGRAM,
      .settings = (const unsigned char *)at->settings,
      .settings_size = strlen(at->settings)};
  at->arena = call_arena();
  at->pool = NULL;
}

static inline void team_start(team *at) {
  assert_int_equal(fut_process_pool_new(&at->options, &at->pool), FUT_OK);
}

static inline void team_open(team *at, unsigned workers) {
  team_init(at, workers, "work");
  team_start(at);
}

/* As team_open(), for workers whose death harms only their task. */
static inline void team_open_respawning(team *at, unsigned workers) {
  team_init(at, workers, "work");
  at->options.respawn = true;
  team_start(at);
}

static inline bool team_over(team *at) {
  if (!await(fut_executor_terminated(at->pool)))
    return false;
  fut_executor_join(at->pool);
  return true;
}

/* Let go of all, after the end of the pool. */
static inline void team_leave(team *at) {
  fut_object_release(&at->pool->object);
  fut_arena_close(at->arena);
  board_free(at->board, at->path);
}

/* Shut down, wait for the end, let go of all. */
static inline void team_close(team *at) {
  fut_executor_shutdown(at->pool, false);
  assert_true(team_over(at));
  team_leave(at);
}

static inline fut_executor_stats team_stats(team *at) {
  fut_executor_stats stats;
  fut_executor_stats_get(at->pool, &stats);
  return stats;
}

/* Submit; the caller keeps its reference. */
static inline call *team_submit(team *at, call *task) {
  fut_object_hold(&task->task.future.object);
  assert_int_equal(fut_executor_submit(at->pool, &task->task), FUT_OK);
  return task;
}

/* Submit an order; the caller owns the call. */
static inline call *ask(team *at, const char *text) {
  return team_submit(at, call_new(at->arena, text));
}

/* As ask(), with a number after the word. */
static inline call *ask_number(team *at, const char *word, long number) {
  char text[64];
  snprintf(text, sizeof text, "%s %ld", word, number);
  return ask(at, text);
}

/* Wait for the end of a call and say how it ended. */
static inline fut_state answered(call *task) {
  assert_true(await(&task->task.future));
  return call_state(task);
}

/* The call is to end with this outcome; let go of it. */
static inline void expect(call *task, const char *text) {
  if (answered(task) != FUT_FINISHED)
    fail_msg("state %d: %s", (int)call_state(task), task->message);
  if (!call_says(task, text))
    fail_msg("'%.*s' is not '%s'", (int)task->size, (const char *)task->bytes,
             text);
  call_release(task);
}

/* The call is to be made to fail for that reason; let go of it. */
static inline void expect_failure(call *task, fut_err why) {
  assert_int_equal(answered(task), FUT_FAILED);
  assert_int_equal(task->why, why);
  call_release(task);
}

static inline void expect_cancelled(call *task) {
  assert_int_equal(answered(task), FUT_CANCELLED);
  call_release(task);
}

/* --- gates -----------------------------------------------------------------
 */

typedef struct team_gate {
  team *team;
  int number;
} team_gate;

static inline bool team_gate_entered(void *context) {
  team_gate *gate = context;
  return atomic_load(&gate->team->board->gates[gate->number].entered) != 0;
}

/* Wait until a worker stands in the gate; return its pid. */
static inline pid_t gate_pid(team *at, int number) {
  assert_true(eventually(team_gate_entered, &(team_gate){.team = at, number}));
  return (pid_t)atomic_load(&at->board->gates[number].entered);
}

static inline void gate_let_go(team *at, int number) {
  atomic_store(&at->board->gates[number].opened, true);
}

#endif
