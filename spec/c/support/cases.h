/* cases.h - tests as a table of sentences, scaled and given time from outside

   FUTURES_SCALE multiplies how often a stress test tries, FUTURES_SLOW how
   long anything may take; both are 1 where they are not set. */
#ifndef SPEC_CASES_H
#define SPEC_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* One row of a table of struct CMUnitTest. */
#define CASE(sentence, function)                                               \
  { (sentence), (function), NULL, NULL, NULL }

static inline double setting(const char *name) {
  const char *value = getenv(name);
  double number = value ? atof(value) : 0;
  return number > 0 ? number : 1;
}

/* Return how often to try what is tried so often by default, at least once. */
static inline unsigned scaled(unsigned times) {
  double count = times * setting("FUTURES_SCALE");
  return count < 1 ? 1 : (unsigned)count;
}

/* Return the upper bound of something that takes less than so many seconds. */
static inline double within(double seconds) {
  return seconds * setting("FUTURES_SLOW");
}

/* Return a number below sides, the same sequence for the same seed. */
static inline unsigned dice(unsigned *seed, unsigned sides) {
  *seed = *seed * 1664525u + 1013904223u;
  return (*seed >> 8) % sides;
}

#endif
