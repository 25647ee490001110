/* segment.c - which build of the library this is */
#include "segment.h"

#include "build_id.h"

const char fut_segment_build[FUT_BUILD_SIZE] = FUT_BUILD_ID;
