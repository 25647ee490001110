/* process.c - what belongs to the whole process: memory, time, CPUs */
#include "futures.h"

#include "clock.h"
#include "cpus.h"
#include "memory.h"

void futures_set_allocator(futures_allocator *allocator, void *context) {
  fut_memory_set(allocator, context);
}

futures_deadline futures_after(double seconds) {
  return fut_deadline_after(seconds);
}

unsigned futures_cpu_count(void) { return fut_cpus_usable(); }
