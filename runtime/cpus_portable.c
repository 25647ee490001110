/* cpus_portable.c - usable processors where the system tells only how many */
#include "cpus.h"

#include <unistd.h>

unsigned fut_cpus_usable(void) {
#ifdef _SC_NPROCESSORS_ONLN
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (unsigned)count : 1;
#else
  return 1;
#endif
}
