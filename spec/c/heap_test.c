/* heap_test.c - tasks of differing priority, the next one on top */
#include "heap.h"

#include "support/cases.h"

#include <math.h>

#define MANY 50000

static fut_task tasks[MANY];

static void set(unsigned index, double priority) {
  tasks[index].order = index;
  tasks[index].priority = priority;
}

static void largest_first(void **unused) {
  (void)unused;
  const double priorities[] = {1, 5, 0.5, 7, -3, 1e300, 2, -INFINITY, INFINITY};
  const unsigned expected[] = {8, 5, 3, 1, 6, 0, 2, 4, 7};
  fut_heap heap = {NULL};
  for (unsigned i = 0; i < 9; i++) {
    set(i, priorities[i]);
    fut_heap_push(&heap, &tasks[i]);
  }
  for (unsigned i = 0; i < 9; i++)
    assert_ptr_equal(fut_heap_pop(&heap), &tasks[expected[i]]);
  assert_null(heap.top);
}

static void oldest_first(void **unused) {
  (void)unused;
  fut_heap heap = {NULL};
  for (unsigned i = 0; i < MANY; i++) {
    set(i, 3);
    fut_heap_push(&heap, &tasks[i]);
  }
  for (unsigned i = 0; i < MANY; i++)
    assert_ptr_equal(fut_heap_pop(&heap), &tasks[i]);
  assert_null(heap.top);
}

static bool before(const fut_task *a, const fut_task *b) {
  return a->priority > b->priority ||
         (a->priority == b->priority && a->order < b->order);
}

/* Rising, falling and mixed priorities: each comes after the one before. */
static void sorted(void **unused) {
  (void)unused;
  unsigned seed = 1;
  for (int kind = 0; kind < 3; kind++) {
    fut_heap heap = {NULL};
    for (unsigned i = 0; i < MANY; i++) {
      set(i, kind == 0 ? i : kind == 1 ? MANY - i : dice(&seed, 100));
      fut_heap_push(&heap, &tasks[i]);
    }
    const fut_task *last = fut_heap_pop(&heap);
    for (unsigned i = 1; i < MANY; i++) {
      const fut_task *next = fut_heap_pop(&heap);
      assert_true(before(last, next));
      last = next;
    }
    assert_null(heap.top);
  }
}

/* Against a search through all that are in. */
static void mixed(void **unused) {
  (void)unused;
  enum { FEW = 60 };
  bool in[FEW] = {false};
  unsigned seed = 7;
  fut_heap heap = {NULL};
  for (unsigned i = scaled(20000); i > 0; i--) {
    unsigned index = dice(&seed, FEW);
    if (!in[index]) {
      in[index] = true;
      set(index, (double)dice(&seed, 4) - 1);
      fut_heap_push(&heap, &tasks[index]);
      continue;
    }
    fut_task *first = NULL;
    for (unsigned j = 0; j < FEW; j++)
      if (in[j] && (first == NULL || before(&tasks[j], first)))
        first = &tasks[j];
    assert_ptr_equal(fut_heap_pop(&heap), first);
    in[first->order] = false;
  }
}

static const struct CMUnitTest heap_tests[] = {
    CASE("the largest priority comes first", largest_first),
    CASE("of one priority the oldest comes first", oldest_first),
    CASE("many come out sorted, however they went in", sorted),
    CASE("the next is right when tasks come and go", mixed),
};

int main(void) { return cmocka_run_group_tests(heap_tests, NULL, NULL); }
