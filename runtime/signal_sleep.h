/* signal_sleep.h - sleeping on a descriptor without missing a signal */
#ifndef FUT_SIGNAL_SLEEP_H
#define FUT_SIGNAL_SLEEP_H

#include "clock.h"
#include "error.h"
#include "parker.h"

/* Hold all signals back, ask attention, then let them in and sleep in one
   step. Return FUT_OK when descriptor is readable, FUT_EINTR when attention
   said yes or a handler ran, FUT_ETIMEDOUT at the deadline. Blocks. */
fut_err fut_signal_sleep(int descriptor, fut_deadline deadline,
                         fut_attention *attention, void *context);

#endif
