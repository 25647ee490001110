/* process.h - a child process: started, watched, signalled and buried */
#ifndef FUT_PROCESS_H
#define FUT_PROCESS_H

#include "clock.h"
#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A child. Embedded; used by one thread at a time. */
typedef struct fut_process {
  pid_t pid;
  int watch; /* a descriptor that becomes readable when the child has ended */
  int lease; /* what the child holds of it until then; -1: nothing */
} fut_process;

/* How a child has ended. */
typedef struct fut_process_end {
  enum { FUT_END_EXIT, FUT_END_SIGNAL, FUT_END_UNKNOWN } how;
  int code; /* of the exit, or the number of the signal */
} fut_process_end;

/* Before a start: know `lease`, for the arguments. Return 0 or an errno. */
int fut_process_prepare(fut_process *process);

/* After fut_process_prepare(): start a program with these arguments (NULL ends
   them) and the descriptors passed, under the same numbers; others that are not
   closed on exec it must close itself. Its stdin is empty, SIGINT is blocked,
   all else is as a program finds it that a shell starts. Return 0, or an errno.
 */
int fut_process_start(fut_process *process, const char *program,
                      char *const *arguments, const int *passed, size_t count);

/* Send a signal; nothing happens if it has ended. Never blocks. */
void fut_process_signal(const fut_process *process, int signal);

/* If it has ended, let go of it, say how, and return true. Never blocks. */
bool fut_process_bury(fut_process *process, fut_process_end *end);

/* Write how the child ended: "exited with code 3", "killed by signal 11". */
void fut_process_end_text(const fut_process_end *end, char *text, size_t size);

/* --- in the child --------------------------------------------------------- */

/* Close all descriptors from 3 on but those listed, ignore SIGINT and unblock
   it. To be called first. */
void fut_process_settle(const int *kept, size_t count);

/* Let the process have no more than about so many bytes of memory of its own,
   whoever in it asks for more. Never more than before. */
void fut_process_limit_memory(size_t bytes);

/* Block until the process that was the parent at the start has ended (FUT_OK),
   or descriptor is readable (FUT_EAGAIN). pid is its number. One thread only.
 */
fut_err fut_process_watch_parent(pid_t pid, int descriptor);

#endif
