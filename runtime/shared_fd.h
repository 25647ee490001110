/* shared_fd.h - a file in memory that no name leads to */
#ifndef FUT_SHARED_FD_H
#define FUT_SHARED_FD_H

/* Return a descriptor of an empty file in memory, closed on exec, readable and
   writable by nobody else; -1 if there is none to be had. */
int fut_shared_fd(void);

#endif
