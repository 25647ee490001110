/* program_posix.c - programs that the shell runs */
#include "program.h"

#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL "/bin/sh"

extern char **environ;

/* Held while a program starts, and while a pipe is not yet marked as one that
   programs do not inherit. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* In a forked child: whoever held it is in the parent. */
static void renew(void) { mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER; }

static void lock(void) {
  fut_thread_after_fork(renew);
  pthread_mutex_lock(&mutex);
}

bool fut_program_shell(void) { return access(SHELL, X_OK) == 0; }

/* Start a command, with its descriptor `place` the one given, if not -1. */
static int start(fut_program *program, const char *command,
                 const sigset_t *signals, int given, int place) {
  char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)command, NULL};
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  int err = posix_spawnattr_init(&attributes);
  if (err)
    return err;
  err = posix_spawn_file_actions_init(&actions);
  if (err) {
    posix_spawnattr_destroy(&attributes);
    return err;
  }
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, signals);
  if (given >= 0)
    err = posix_spawn_file_actions_adddup2(&actions, given, place);
  if (err == 0) {
    lock();
    err = posix_spawn(&program->pid, SHELL, &actions, &attributes, arguments,
                      environ);
    pthread_mutex_unlock(&mutex);
  }
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return err;
}

bool fut_program_start(fut_program *program, const char *command,
                       const sigset_t *signals) {
  int err = start(program, command, signals, -1, -1);
  errno = err;
  return err == 0;
}

/* Two ends that programs do not inherit. */
static bool open_pipe(int ends[2]) {
  lock();
  bool made = pipe(ends) == 0;
  if (made) {
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  }
  pthread_mutex_unlock(&mutex);
  return made;
}

FILE *fut_program_open(fut_program *program, const char *command, bool input,
                       const sigset_t *signals) {
  int ends[2];
  if (!open_pipe(ends))
    return NULL;
  int ours = ends[input], theirs = ends[!input];
  FILE *file = fdopen(ours, input ? "w" : "r");
  int err = file ? start(program, command, signals, theirs,
                         input ? STDIN_FILENO : STDOUT_FILENO)
                 : errno;
  close(theirs);
  if (err == 0)
    return file;
  if (file)
    fclose(file);
  else
    close(ours);
  errno = err;
  return NULL;
}

bool fut_program_wait(fut_program *program, int *status) {
  pid_t ended = waitpid(program->pid, status, 0);
  if (ended < 0 && errno == EINTR)
    return false;
  if (ended < 0)
    *status = -1;
  return true;
}

void fut_program_terminate(const fut_program *program) {
  kill(program->pid, SIGTERM);
}
