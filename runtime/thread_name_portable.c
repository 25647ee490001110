/* thread_name_portable.c - POSIX does not name threads */
#include "thread.h"

void fut_thread_name(const char *name) { (void)name; }
