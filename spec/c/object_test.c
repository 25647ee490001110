/* object_test.c - something counted that several threads may hold */
#include "object.h"

#include "support/cases.h"
#include "support/crew.h"

typedef struct thing {
  fut_object object;
  unsigned written; /* by everyone who held it, before letting go */
  unsigned seen;    /* what the one that ended it saw there */
  unsigned ends;
} thing;

static void thing_free(fut_object *object) {
  thing *self = (thing *)object;
  self->seen = self->written;
  self->ends++;
}

static const fut_object_kind thing_kind = {"thing", thing_free};

static void one(void **unused) {
  (void)unused;
  thing self = {.written = 7};
  fut_object_init(&self.object, &thing_kind);
  assert_string_equal(self.object.kind->name, "thing");
  fut_object_hold(&self.object);
  fut_object_release(&self.object);
  assert_int_equal(self.ends, 0);
  fut_object_release(&self.object);
  assert_int_equal(self.ends, 1);
  assert_int_equal(self.seen, 7);
}

typedef struct shared {
  thing self;
  unsigned marks[4]; /* one for each thread, not atomic */
} shared;

static void juggle(void *context, unsigned index) {
  shared *common = context;
  for (unsigned i = 0; i < 50; i++) {
    fut_object_hold(&common->self.object);
    fut_object_release(&common->self.object);
  }
  common->marks[index] = 1;
  fut_object_release(&common->self.object);
}

static void shared_free(fut_object *object) {
  shared *common = (shared *)object;
  common->self.ends++;
  for (int i = 0; i < 4; i++)
    common->self.seen += common->marks[i];
}

static const fut_object_kind shared_kind = {"shared", shared_free};

static void many(void **unused) {
  (void)unused;
  for (unsigned round = scaled(500); round > 0; round--) {
    shared common = {.marks = {0}};
    fut_object_init(&common.self.object, &shared_kind);
    for (int i = 1; i < 4; i++)
      fut_object_hold(&common.self.object);
    crew_run(4, juggle, &common);
    assert_int_equal(common.self.ends, 1);
    assert_int_equal(common.self.seen, 4);
  }
}

static const struct CMUnitTest object_tests[] = {
    CASE("the last reference ends it, not one before", one),
    CASE("of many threads one ends it, and sees what all did", many),
};

int main(void) { return cmocka_run_group_tests(object_tests, NULL, NULL); }
