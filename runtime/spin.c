/* spin.c - whether it pays to look around for a moment before sleeping

   A sleep and a wake-up cost some 5 us and a system call on either side. So a
   thread looks around for about as long, but not after it did so in vain,
   until a sleep turns out to have been shorter than that. */
#include "spin.h"

#include "cpus.h"
#include "thread.h"

#include <stdatomic.h>

#define LOOK_NS 10000
#define SHORT_NS 30000
#define PAUSES 8

static atomic_int awake; /* atomic: see fut_spin_count() */
static atomic_uint cpus; /* atomic: usable CPUs, 0 before the first look */

void fut_spin_init(fut_spin *spin) {
  spin->pays = true;
  spin->until = spin->asleep = 0;
}

void fut_spin_count(int change) {
  /* relaxed, as all of `awake`: a hint for scheduling, nothing hangs on it */
  atomic_fetch_add_explicit(&awake, change, memory_order_relaxed);
}

static bool room(void) {
  unsigned count = atomic_load_explicit(&cpus, memory_order_relaxed);
  if (count == 0) {
    count = fut_cpus_usable();
    atomic_store_explicit(&cpus, count, memory_order_relaxed);
  }
  return count > 1 &&
         atomic_load_explicit(&awake, memory_order_relaxed) <= (int)count;
}

bool fut_spin_begin(fut_spin *spin) {
  if (!spin->pays || !room())
    return false;
  spin->until = fut_clock_now() + LOOK_NS;
  return true;
}

bool fut_spin_again(fut_spin *spin) {
  for (int i = 0; i < PAUSES; i++)
    fut_thread_relax();
  return fut_clock_now() < spin->until;
}

void fut_spin_end(fut_spin *spin, bool found) { spin->pays = found; }

void fut_spin_asleep(fut_spin *spin) { spin->asleep = fut_clock_now(); }

void fut_spin_woken(fut_spin *spin) {
  if (fut_clock_now() - spin->asleep < SHORT_NS)
    spin->pays = true;
}
