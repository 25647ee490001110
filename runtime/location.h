/* location.h - where the library and the program lie */
#ifndef FUT_LOCATION_H
#define FUT_LOCATION_H

#include <stdbool.h>
#include <stddef.h>

/* Write the path of the file that this code was loaded from; false if the
   system does not tell. */
bool fut_location_library(char *path, size_t size);

/* Write the path of the program that runs; false if the system does not tell.
 */
bool fut_location_program(char *path, size_t size);

#endif
