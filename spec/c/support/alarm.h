/* alarm.h - signals that tests send to one thread, and a handler that counts */
#ifndef SPEC_ALARM_H
#define SPEC_ALARM_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static atomic_int alarms; /* atomic: how often the handler ran */

static inline void alarm_handler(int number) {
  (void)number;
  atomic_fetch_add(&alarms, 1);
}

/* Count SIGUSR1 from now on; calls it interrupts are restarted if asked. */
static inline void alarm_install(bool restart) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = alarm_handler;
  action.sa_flags = restart ? SA_RESTART : 0;
  sigemptyset(&action.sa_mask);
  sigaction(SIGUSR1, &action, NULL);
  atomic_store(&alarms, 0);
}

static inline void alarm_send(pthread_t thread) {
  pthread_kill(thread, SIGUSR1);
}

/* What attention is: whether the handler has run, as in a program that sets a
   flag there. */
static inline bool alarm_rang(void *context) {
  (void)context;
  return atomic_load(&alarms) > 0;
}

#endif
