/* error.h - the outcomes that a call of the runtime can report */
#ifndef FUT_ERROR_H
#define FUT_ERROR_H

/* X(code, message): every outcome but FUT_OK, in one list. */
#define FUT_ERRORS(X)                                                          \
  X(FUT_ENOMEM, "not enough memory")                                           \
  X(FUT_ETIMEDOUT, "timed out")                                                \
  X(FUT_EINTR, "interrupted")                                                  \
  X(FUT_EAGAIN, "callbacks are due")                                           \
  X(FUT_ESHUTDOWN, "cannot schedule new futures after shutdown")               \
  X(FUT_EFULL, "too many tasks wait")                                          \
  X(FUT_EBROKENTHREADS, "the thread pool is broken")                           \
  X(FUT_EBROKENPROCESSES, "the process pool is broken")                        \
  X(FUT_ETHREAD, "cannot start a worker thread")                               \
  X(FUT_EFORKED, "this executor belongs to the parent process (made before "   \
                 "fork)")                                                      \
  X(FUT_ELOST, "this task belongs to the parent process (submitted before "    \
               "fork)")                                                        \
  X(FUT_EUNTIMED, "a serial executor cannot limit the time of a C task")       \
  X(FUT_EELSEWHERE, "a SerialExecutor runs tasks only where it was made")      \
  X(FUT_EDEADLOCK, "a task cannot wait for the end of its own executor")       \
  X(FUT_EWAITING, "too many tasks of this executor wait for others")

typedef enum fut_err {
  FUT_OK = 0,
#define X(code, message) code,
  FUT_ERRORS(X)
#undef X
} fut_err;

/* Return the message of an outcome: lower case, no full stop, static. */
const char *fut_err_message(fut_err err);

/* Return the name of an outcome, "FUT_OK" for one; static. */
const char *fut_err_name(fut_err err);

#endif
