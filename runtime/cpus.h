/* cpus.h - how many processors this process may use */
#ifndef FUT_CPUS_H
#define FUT_CPUS_H

/* Return how many CPUs this process may use, at least 1: those online, less
   what affinity and (on Linux) the cgroup quota take away. Any thread. */
unsigned fut_cpus_usable(void);

#endif
