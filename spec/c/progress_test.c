/* progress_test.c - what threads that wait do for executors */
#include "progress.h"

#include "pool.h"

#include "support/cases.h"
#include "support/child.h"
#include "support/crew.h"

/* An executor that only counts. */
typedef struct helped {
  fut_executor executor;
  fut_progress progress;
  atomic_uint steps; /* atomic: how often it was helped */
  bool crowded;
} helped;

static helped *of(fut_executor *executor) { return (helped *)executor; }

static void step(fut_executor *executor) {
  atomic_fetch_add(&of(executor)->steps, 1);
}

static bool crowded(fut_executor *executor) { return of(executor)->crowded; }

static void let_go(fut_object *object) { (void)object; }

static const fut_executor_ops ops = {.object = {"helped", let_go}};

static void open_one(helped *self) {
  assert_int_equal(fut_executor_init(&self->executor, &ops, FUT_UNLIMITED),
                   FUT_OK);
  self->progress = (fut_progress){
      .executor = &self->executor, .step = step, .crowded = crowded};
  atomic_init(&self->steps, 0);
  self->crowded = false;
}

static void close_one(helped *self) { fut_executor_fini(&self->executor); }

static void all_helped(void **unused) {
  (void)unused;
  helped some[5];
  assert_false(fut_progress_any());
  fut_progress_step(); /* nobody is there */
  for (int i = 0; i < 5; i++) {
    open_one(&some[i]);
    fut_progress_join(&some[i].progress);
  }
  assert_true(fut_progress_any());
  fut_progress_step();
  fut_progress_step();
  fut_progress_leave(&some[2].progress);
  fut_progress_step();
  for (int i = 0; i < 5; i++) {
    assert_int_equal(atomic_load(&some[i].steps), i == 2 ? 2 : 3);
    fut_progress_leave(&some[i].progress); /* one of them again */
    close_one(&some[i]);
  }
  assert_false(fut_progress_any());
}

static void full_house(void **unused) {
  (void)unused;
  helped some[3];
  for (int i = 0; i < 3; i++) {
    open_one(&some[i]);
    fut_progress_join(&some[i].progress);
  }
  assert_false(fut_progress_crowded());
  some[1].crowded = true;
  assert_true(fut_progress_crowded());
  for (int i = 0; i < 3; i++) {
    fut_progress_leave(&some[i].progress);
    close_one(&some[i]);
  }
}

static void given_up(void **unused) {
  (void)unused;
  helped first, second;
  open_one(&first);
  open_one(&second);
  fut_progress_join(&first.progress);
  fut_progress_join(&second.progress);
  fut_object_release(&second.executor.object); /* on its way out */
  fut_progress_step();
  assert_int_equal(atomic_load(&second.steps), 0);
  assert_int_equal(atomic_load(&first.steps), 1);
  fut_progress_leave(&first.progress);
  fut_progress_leave(&second.progress);
  close_one(&first);
  close_one(&second);
}

static void leave(fut_executor *executor) {
  step(executor);
  fut_progress_leave(&of(executor)->progress);
}

static void join_another(fut_executor *executor) {
  step(executor);
  static helped late;
  open_one(&late);
  fut_progress_join(&late.progress);
  fut_progress_leave(&of(executor)->progress);
  fut_progress_leave(&late.progress);
  close_one(&late);
}

/* Nobody is passed over when another one leaves, or comes. */
static void in_between(void **unused) {
  (void)unused;
  for (int leaver = 0; leaver < 4; leaver++) {
    helped some[4];
    for (int i = 0; i < 4; i++) {
      open_one(&some[i]);
      fut_progress_join(&some[i].progress);
    }
    some[leaver].progress.step = leaver % 2 ? leave : join_another;
    fut_progress_step();
    for (int i = 0; i < 4; i++) {
      assert_int_equal(atomic_load(&some[i].steps), 1);
      fut_progress_leave(&some[i].progress);
      close_one(&some[i]);
    }
  }
}

/* Some come and go while others help one that stays. */
static helped stays;
static atomic_uint busy; /* atomic: helpers not done */

static void help_or_come(void *unused, unsigned index) {
  (void)unused;
  unsigned times = scaled(20000);
  if (index < 2) {
    for (unsigned i = 0; i < times; i++)
      fut_progress_step();
    atomic_fetch_sub(&busy, 1);
    return;
  }
  while (atomic_load(&busy) > 0) {
    helped guest;
    open_one(&guest);
    fut_progress_join(&guest.progress);
    fut_progress_leave(&guest.progress);
    /* one more may be helping it */
    while (atomic_load(&guest.executor.object.references) > 1)
      sched_yield();
    close_one(&guest);
  }
}

static void come_and_go(void **unused) {
  (void)unused;
  open_one(&stays);
  fut_progress_join(&stays.progress);
  atomic_init(&busy, 2);
  crew_run(4, help_or_come, NULL);
  assert_true(atomic_load(&stays.steps) > 0);
  assert_int_equal(atomic_load(&stays.executor.object.references), 1);
  fut_progress_leave(&stays.progress);
  assert_false(fut_progress_any());
  close_one(&stays);
}

static int help_in_child(void *context) {
  helped *parents = context, own;
  fut_progress_step();
  if (atomic_load(&parents->steps) != 0 || fut_progress_any())
    return 1;
  open_one(&own);
  fut_progress_join(&own.progress);
  fut_progress_step();
  if (atomic_load(&own.steps) != 1 || atomic_load(&parents->steps) != 0)
    return 2;
  fut_progress_leave(&own.progress);
  fut_progress_leave(&parents->progress);
  close_one(&own);
  return fut_progress_any() ? 3 : 0;
}

static void forked(void **unused) {
  (void)unused;
  helped parents;
  open_one(&parents);
  fut_progress_join(&parents.progress);
  assert_int_equal(child_run(help_in_child, &parents), 0);
  assert_true(fut_progress_any());
  fut_progress_leave(&parents.progress);
  close_one(&parents);
}

static const struct CMUnitTest progress_tests[] = {
    CASE("every executor is helped until it leaves", all_helped),
    CASE("one that is crowded is enough", full_house),
    CASE("one that nobody holds is passed over", given_up),
    CASE("one that leaves or comes keeps no other from being helped",
         in_between),
    CASE("executors come and go while others help", come_and_go),
    CASE("a forked child helps only its own", forked),
};

int main(void) { return cmocka_run_group_tests(progress_tests, NULL, NULL); }
