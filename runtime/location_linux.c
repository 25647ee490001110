/* location_linux.c - the dynamic linker and /proc tell where things lie */
#include "location.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

bool fut_location_library(char *path, size_t size) {
  static const char here; /* an address of ours */
  Dl_info info;
  if (dladdr(&here, &info) == 0 || info.dli_fname == NULL ||
      info.dli_fname[0] != '/' || strlen(info.dli_fname) >= size)
    return false;
  strcpy(path, info.dli_fname);
  return true;
}

bool fut_location_program(char *path, size_t size) {
  ssize_t length = readlink("/proc/self/exe", path, size - 1);
  if (length < 0 || (size_t)length == size - 1)
    return false;
  path[length] = '\0';
  return true;
}
