/* location_portable.c - POSIX does not tell where things lie */
#include "location.h"

bool fut_location_library(char *path, size_t size) {
  (void)path;
  (void)size;
  return false;
}

bool fut_location_program(char *path, size_t size) {
  (void)path;
  (void)size;
  return false;
}
