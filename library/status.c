/* status.c - how a call ended, as C programs see it */
#include "status.h"

#include <stdlib.h>

futures_status status_of(fut_err err) {
  switch (err) {
  case FUT_OK:
    return FUTURES_OK;
  case FUT_ENOMEM:
    return FUTURES_ENOMEM;
  case FUT_ETIMEDOUT:
    return FUTURES_ETIMEDOUT;
  case FUT_ESHUTDOWN:
    return FUTURES_ESHUTDOWN;
  case FUT_ETHREAD:
    return FUTURES_ETHREAD;
  case FUT_EBROKENTHREADS:
    return FUTURES_EBROKEN;
  case FUT_EFORKED:
  case FUT_ELOST:
    return FUTURES_EFORKED;
  case FUT_EDEADLOCK:
    return FUTURES_EDEADLOCK;
  default:
    abort(); /* an outcome that C programs never see */
  }
}

const char *futures_status_message(futures_status status) {
  switch (status) {
  case FUTURES_OK:
    return "all is well";
  case FUTURES_ENOMEM:
    return fut_err_message(FUT_ENOMEM);
  case FUTURES_ETIMEDOUT:
    return fut_err_message(FUT_ETIMEDOUT);
  case FUTURES_ECANCELED:
    return "the future was cancelled";
  case FUTURES_ESHUTDOWN:
    return fut_err_message(FUT_ESHUTDOWN);
  case FUTURES_ETHREAD:
    return fut_err_message(FUT_ETHREAD);
  case FUTURES_EBROKEN:
    return fut_err_message(FUT_EBROKENTHREADS);
  case FUTURES_EFORKED:
    return "this belongs to the parent process (made before fork)";
  case FUTURES_EDEADLOCK:
    return fut_err_message(FUT_EDEADLOCK);
  case FUTURES_EINVAL:
    return "an option is out of range";
  }
  return "unknown status";
}
