/* spin.c - whether it pays to look around for a moment before sleeping

   A sleep and a wake-up cost a system call on either side, and 5 to 20 us pass
   until the sleeper runs. So a thread looks around for about as long before it
   sleeps. When it did so in vain, it does not the next time; each time in vain
   doubles the number of sleeps without a look, of which only short ones count,
   those that a look would have saved. For a thread that looks around keeps the
   CPU, perhaps from the very one that it waits for. */
#include "spin.h"

#include "cpus.h"
#include "thread.h"

#include <stdatomic.h>

#define LOOK_NS 25000
#define SHORT_NS 50000 /* a sleep that a look would have saved, nearly */
#define SKIP_LIMIT 256
#define PAUSES 8

static atomic_int awake; /* atomic: see fut_spin_count() */
static atomic_uint cpus; /* atomic: usable CPUs, 0 before the first look */

void fut_spin_init(fut_spin *spin) {
  spin->skip = spin->left = 0;
  spin->until = spin->asleep = 0;
}

void fut_spin_count(int change) {
  /* relaxed, as all of `awake`: a hint for scheduling, nothing hangs on it */
  atomic_fetch_add_explicit(&awake, change, memory_order_relaxed);
}

void fut_spin_forked(void) {
  atomic_store_explicit(&awake, 0, memory_order_relaxed);
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
  if (spin->left > 0 || !room())
    return false;
  spin->until = fut_clock_now() + LOOK_NS;
  return true;
}

bool fut_spin_again(fut_spin *spin) {
  for (int i = 0; i < PAUSES; i++)
    fut_thread_relax();
  return fut_clock_now() < spin->until;
}

void fut_spin_end(fut_spin *spin, bool found) {
  if (found)
    spin->skip = 0;
  else if (spin->skip == 0)
    spin->skip = 1;
  else if (spin->skip < SKIP_LIMIT)
    spin->skip *= 2;
  spin->left = spin->skip;
}

void fut_spin_asleep(fut_spin *spin) { spin->asleep = fut_clock_now(); }

void fut_spin_woken(fut_spin *spin) {
  if (spin->left > 0 && fut_clock_now() - spin->asleep < SHORT_NS)
    spin->left--;
}
