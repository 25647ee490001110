/* thread_name_linux.c - naming threads on Linux, which takes 15 bytes */
#include "thread.h"

#include <string.h>

void fut_thread_name(const char *name) {
  char cut[16] = {0};
  strncpy(cut, name, sizeof cut - 1);
  pthread_setname_np(pthread_self(), cut);
}
