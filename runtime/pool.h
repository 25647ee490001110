/* pool.h - how a pool is made, whatever its workers are */
#ifndef FUT_POOL_H
#define FUT_POOL_H

#include "clock.h"
#include "object.h"

#include <stddef.h>
#include <stdint.h>

#define FUT_WORKERS_LIMIT 65535u
#define FUT_UNLIMITED SIZE_MAX

typedef struct fut_pool_options {
  unsigned max_workers;       /* 1 to FUT_WORKERS_LIMIT */
  const char *name;           /* prefix of the workers' names; copied */
  size_t max_tasks_per_child; /* a worker's local is closed and made anew after
                                 so many tasks; FUT_UNLIMITED: never */
  size_t max_pending;         /* so many tasks may wait; FUT_UNLIMITED */
  fut_deadline idle_timeout;  /* ns after which a worker without a task ends;
                                 FUT_NEVER */
  size_t memory_limit;        /* bytes a worker's local may hold;
                                 FUT_UNLIMITED */
  fut_object *environment;    /* what every worker starts with; the pool holds
                                 a reference of its own; NULL: nothing */
} fut_pool_options;

/* Without limits and without an environment. */
static inline fut_pool_options fut_pool_options_of(unsigned max_workers,
                                                   const char *name) {
  return (fut_pool_options){.max_workers = max_workers,
                            .name = name,
                            .max_tasks_per_child = FUT_UNLIMITED,
                            .max_pending = FUT_UNLIMITED,
                            .idle_timeout = FUT_NEVER,
                            .memory_limit = FUT_UNLIMITED};
}

#endif
