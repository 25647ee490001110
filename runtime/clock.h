/* clock.h - monotonic time, and deadlines as points in it */
#ifndef FUT_CLOCK_H
#define FUT_CLOCK_H

#include <stdint.h>

/* A point in monotonic time, in nanoseconds. Absolute, so that a wait that is
   repeated never grows longer. */
typedef int64_t fut_deadline;

#define FUT_POLL ((fut_deadline)0)          /* already past: do not block */
#define FUT_NEVER ((fut_deadline)INT64_MAX) /* no limit */

/* Return the present moment. Any thread. Never blocks. */
fut_deadline fut_clock_now(void);

/* The same, cheaper, as of the last tick of the system: up to 10 ms ago. */
fut_deadline fut_clock_coarse(void);

/* Return the moment so many seconds from now: FUT_POLL for zero or less,
   FUT_NEVER where it lies beyond what can be counted. Requires not NaN. */
fut_deadline fut_deadline_after(double seconds);

/* Return the nanoseconds left until deadline, 0 if it has passed. */
int64_t fut_deadline_left(fut_deadline deadline);

#endif
