/* task_test.c - something to run once on a worker */
#include "task.h"

#include "support/cases.h"
#include "support/crew.h"
#include "support/job.h"

static void note_state(job *self) {
  *(fut_state *)self->context = job_state(self);
}

static void runs(void **unused) {
  (void)unused;
  fut_arena *arena = job_arena();
  fut_state inside = FUT_PENDING;
  job *task = job_new(arena, note_state, &inside);
  atomic_uint ended = 0;
  task->ended = &ended;
  assert_true(task->task.priority == 0);
  job_hold(task);
  int here;
  fut_task_run(&task->task, (fut_worker_local *)(void *)&here);
  assert_int_equal(inside, FUT_RUNNING);
  assert_int_equal(job_state(task), FUT_FINISHED);
  assert_ptr_equal(task->local, &here);
  assert_int_equal(atomic_load(&ended), 0);
  job_release(task);
  assert_int_equal(atomic_load(&ended), 1);
  fut_arena_close(arena);
}

static void not_cancelled(void **unused) {
  (void)unused;
  fut_arena *arena = job_arena();
  fut_state inside = FUT_PENDING;
  job *task = job_new(arena, note_state, &inside);
  atomic_uint ended = 0;
  task->ended = &ended;
  fut_future_cancel(&task->task.future);
  fut_task_run(&task->task, NULL);
  assert_int_equal(inside, FUT_PENDING);
  assert_int_equal(atomic_load(&ended), 1);
  fut_arena_close(arena);
}

#define MANY 500

typedef struct race {
  job *jobs[MANY];
  unsigned runs[MANY];
  atomic_uint cancels[MANY];
} race;

static void count_run(job *self) { ++*(unsigned *)self->context; }

static void run_or_cancel(void *context, unsigned index) {
  race *game = context;
  for (int i = 0; i < MANY; i++) {
    fut_future *future = &game->jobs[i]->task.future;
    if (index < 2)
      fut_task_run(&game->jobs[i]->task, NULL);
    else {
      atomic_fetch_add(&game->cancels[i], fut_future_cancel(future));
      fut_future_release(future, NULL);
    }
  }
}

static void exactly_once(void **unused) {
  (void)unused;
  fut_arena *arena = job_arena();
  for (unsigned round = scaled(100); round > 0; round--) {
    race game = {.jobs = {NULL}};
    for (int i = 0; i < MANY; i++) {
      game.jobs[i] = job_new(arena, count_run, &game.runs[i]);
      for (int j = 0; j < 3; j++)
        job_hold(game.jobs[i]);
    }
    crew_run(3, run_or_cancel, &game);
    for (int i = 0; i < MANY; i++) {
      unsigned cancels = atomic_load(&game.cancels[i]);
      assert_int_equal(game.runs[i] + cancels, 1);
      assert_int_equal(job_state(game.jobs[i]),
                       cancels ? FUT_CANCELLED : FUT_FINISHED);
      job_release(game.jobs[i]);
    }
  }
  fut_arena_close(arena);
}

static const struct CMUnitTest task_tests[] = {
    CASE("a task runs, and its reference is given up", runs),
    CASE("a cancelled task does not run", not_cancelled),
    CASE("a task is run or cancelled, exactly once", exactly_once),
};

int main(void) { return cmocka_run_group_tests(task_tests, NULL, NULL); }
