/* program.h - programs that the shell runs, with a signal mask of choice */
#ifndef FUT_PROGRAM_H
#define FUT_PROGRAM_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* One that was started and has to be waited for. Embedded. */
typedef struct fut_program {
  pid_t pid;
} fut_program;

/* Whether there is a shell. */
bool fut_program_shell(void);

/* Start a command with the streams of this process; false sets errno. */
bool fut_program_start(fut_program *program, const char *command,
                       const sigset_t *signals);

/* Start a command, and return a stream to its input, or from its output, which
   no other program inherits; NULL sets errno. */
FILE *fut_program_open(fut_program *program, const char *command, bool input,
                       const sigset_t *signals);

/* Wait for its end: true with its wait status, or with -1 and errno. False if a
   signal came before. Blocks. */
bool fut_program_wait(fut_program *program, int *status);

/* Send it SIGTERM. Requires that it was not waited for. */
void fut_program_terminate(const fut_program *program);

#endif
