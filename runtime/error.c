/* error.c - the outcomes that a call of the runtime can report */
#include "error.h"

const char *fut_err_message(fut_err err) {
  switch (err) {
  case FUT_OK:
    return "no error";
#define X(code, message)                                                       \
  case code:                                                                   \
    return message;
    FUT_ERRORS(X)
#undef X
  }
  return "unknown error";
}

const char *fut_err_name(fut_err err) {
  switch (err) {
  case FUT_OK:
    return "FUT_OK";
#define X(code, message)                                                       \
  case code:                                                                   \
    return #code;
    FUT_ERRORS(X)
#undef X
  }
  return "unknown";
}
