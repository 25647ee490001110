/* check.c - assertions that stay on in release builds */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

void fut_check_failed(const char *condition, const char *file, int line) {
  fprintf(stderr, "%s:%d: futures: broken invariant: %s\n", file, line,
          condition);
  abort();
}
