/* check.h - assertions that stay on in release builds */
#ifndef FUT_CHECK_H
#define FUT_CHECK_H

/* Abort, naming the condition and its place, unless it holds. For bugs of
   this library only: what the world can cause is reported, never checked. */
#define CHECK(condition)                                                       \
  ((condition) ? (void)0 : fut_check_failed(#condition, __FILE__, __LINE__))

_Noreturn void fut_check_failed(const char *condition, const char *file,
                                int line);

#endif
