/* cpus_linux.c - usable processors: affinity and the cgroup's quota */
#include "cpus.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned affinity(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return (unsigned)CPU_COUNT(&set);
  long count = sysconf(_SC_NPROCESSORS_ONLN); /* more than 1,024 CPUs */
  return count > 0 ? (unsigned)count : 1;
}

/* Return quota / period rounded up, or limit where there is no quota. */
static unsigned apply(long long quota, long long period, unsigned limit) {
  if (quota <= 0 || period <= 0)
    return limit;
  long long cpus = (quota + period - 1) / period;
  return cpus < limit ? (unsigned)cpus : limit;
}

/* Read one number from the file directory/name of cgroup v1. */
static long long number(const char *directory, const char *name) {
  char path[8400];
  long long value = -1;
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "re");
  if (file) {
    if (fscanf(file, "%lld", &value) != 1)
      value = -1;
    fclose(file);
  }
  return value;
}

/* Lower limit by the quotas of directory and of every cgroup above it. */
static unsigned climb(char *directory, size_t root, int version,
                      unsigned limit) {
  for (;;) {
    if (version == 2) {
      char path[8400], quota[32];
      long long period;
      snprintf(path, sizeof path, "%s/cpu.max", directory);
      FILE *file = fopen(path, "re");
      if (file) {
        long long value;
        if (fscanf(file, "%31s %lld", quota, &period) == 2 &&
            sscanf(quota, "%lld", &value) == 1)
          limit = apply(value, period, limit);
        fclose(file);
      }
    } else
      limit = apply(number(directory, "cpu.cfs_quota_us"),
                    number(directory, "cpu.cfs_period_us"), limit);
    char *slash = strrchr(directory, '/');
    if (slash == NULL || (size_t)(slash - directory) < root)
      return limit;
    *slash = '\0';
  }
}

unsigned fut_cpus_usable(void) {
  unsigned limit = affinity();
  FILE *file = fopen("/proc/self/cgroup", "re");
  if (file) {
    char line[4096], directory[8300];
    while (fgets(line, sizeof line, file)) {
      line[strcspn(line, "\n")] = '\0';
      char *controllers = strchr(line, ':'); /* id:controllers:path */
      char *colon = controllers ? strchr(controllers + 1, ':') : NULL;
      if (colon == NULL)
        continue;
      *colon = '\0';
      const char *path = colon + 1;
      controllers++;
      int version = *controllers ? 1 : 2;
      if (version == 1 && strstr(controllers, "cpu") == NULL)
        continue;
      const char *mount =
          version == 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
      if (strcmp(path, "/") == 0)
        path = "";
      snprintf(directory, sizeof directory, "%s%s", mount, path);
      limit = climb(directory, strlen(mount), version, limit);
    }
    fclose(file);
  }
  return limit ? limit : 1;
}
