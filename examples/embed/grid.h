/* grid.h - a map of cells, and shortest ways across it */
#ifndef GRID_H
#define GRID_H

#include <stdbool.h>

/* Read only once it is loaded, so any thread may search it. */
typedef struct grid {
  int width, height;
  char *cells; /* '.' can be walked on */
} grid;

/* Load a map of the format of movingai.com; false if it is none. */
bool grid_load(grid *map, const char *path);
void grid_free(grid *map);

bool grid_free_at(const grid *map, int x, int y);

/* Return how many steps the shortest way takes, -1 if there is none. */
int grid_path(const grid *map, int x, int y, int goal_x, int goal_y);

#endif
