/* map_far.h - items of a map that go to a worker process, many in one call */
#ifndef FUT_MAP_FAR_H
#define FUT_MAP_FAR_H

#include "job.h"

/* In the worker: read the next item of a call, which map_far.c wrote. *at is 0
   at first, and then as it was left. True: the item is a whole call, function
   included; false: its arguments, and the function lies apart. Borrowed. */
bool map_far_next(const fut_call *call, size_t *at, job_content *function,
                  job_content *item);

#endif
