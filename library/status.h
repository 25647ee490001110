/* status.h - how a call ended, as C programs see it */
#ifndef FUT_STATUS_H
#define FUT_STATUS_H

#include "futures.h"

#include "error.h"

/* Return what an outcome of the runtime is outside; aborts for those that are
   not seen there. */
futures_status status_of(fut_err err);

#endif
