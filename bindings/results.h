/* results.h - what map returns: inputs pulled, calls under way, results read */
#ifndef FUT_RESULTS_H
#define FUT_RESULTS_H

#include "lview.h"
#include "map.h"

typedef struct results results;

/* How calls get to the workers and back. The results are at index 1 of the
   stack of those that are given one. */
typedef struct carrier {
  /* Take the call that the count values from index first on are, the function
     and its arguments. Raises. */
  void (*add)(lua_State *L, context *ctx, results *r, int first, int count);
  /* See that workers have what was added; not due: only if that is worth it.
     Raises. */
  void (*announce)(lua_State *L, context *ctx, results *r, bool due);
  /* Return how many calls under way make good use of the workers. */
  uint64_t (*ample)(const results *r);
  /* Whether the next result is there. */
  bool (*ready)(results *r);
  /* Wait until it may be, while callbacks run, which may also end the results;
     false at the deadline. Raises interrupts. Blocks. */
  bool (*await)(lua_State *L, context *ctx, results *r);
  /* Push the number of the call (1, 2, ...) and its values, or error and
     traceback; set how many these are. They are then let go of. */
  fut_state (*read)(lua_State *L, context *ctx, results *r, int *count);
  /* Cancel what has not started. Never raises or blocks. */
  void (*cancel)(results *r);
  /* Let go of everything. Never raises or blocks. */
  void (*close)(results *r);
} carrier;

extern const carrier carrier_loans; /* for pools whose workers share tasks */
extern const carrier carrier_tasks; /* one task for each call */

/* User values. */
enum {
  RESULTS_EXECUTOR = 1,
  RESULTS_FUNCTION,
  RESULTS_INPUTS,   /* table: what was given */
  RESULTS_CLOSING,  /* what is to be closed with an iterator */
  RESULTS_OUTGOING, /* carrier_tasks: the future of a call that goes out */
  RESULTS_VALUES = RESULTS_OUTGOING
};

enum input_kind { INPUT_ARRAY, INPUT_SEQUENCE, INPUT_ITERATOR };

typedef struct results_input {
  enum input_kind kind;
  lua_Integer length; /* of those that have one */
} results_input;

struct results {
  const void *magic;
  const carrier *carrier;
  fut_executor *executor; /* borrowed from the user value; NULL once closed */
  call_options options;   /* name is not kept */
  fut_deadline deadline;
  bool started; /* a result was asked for */
  bool sending; /* calls are going out */
  bool asking;  /* ... and an input is being asked for its next item */
  bool drained; /* an input has ended: nothing is pulled any more */
  bool ended;   /* yields nothing any more */
  uint64_t pulled, yielded;
  map *map; /* carrier_loans: a reference, NULL before the first */
  struct results_task *first, *last; /* carrier_tasks: in their order */
  struct results_task *taken; /* carrier_tasks, unordered: to be read next */
  fut_completions queue;      /* carrier_tasks, unordered; while open */
  bool open;
  int input_count;
  results_input inputs[];
};

/* Count the inputs that the arguments from first to the top are. Raises for
   what is none. If one is an iterator that comes along with a value to be
   closed, leave that in its place on top of the stack, and return true. */
bool results_check_inputs(lua_State *L, int first, int *count);

/* Take the inputs from index first on for the results at index at. May run user
   code. */
void results_set_inputs(lua_State *L, results *r, int at, int first);

/* Push the next arguments; false if an input has ended, and then perhaps some.
   Their table is at index inputs. May run user code. */
bool results_pull(lua_State *L, results *r, int inputs);

/* Whether an input may be without an end. */
bool results_lazy(const results *r);

#endif
