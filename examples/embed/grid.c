/* grid.c - a map of cells, and shortest ways across it (A*) */
#include "grid.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

bool grid_load(grid *map, const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return false;
  map->cells = NULL;
  bool fine = fscanf(file, "type octile height %d width %d map", &map->height,
                     &map->width) == 2 &&
              map->width > 0 && map->width < 10000 && map->height > 0 &&
              map->height < 10000;
  int count = fine ? map->width * map->height : 0;
  fine = fine && (map->cells = malloc((size_t)count)) != NULL;
  for (int i = 0; fine && i < count; i++)
    fine = fscanf(file, " %c", &map->cells[i]) == 1;
  fclose(file);
  if (!fine)
    free(map->cells);
  return fine;
}

void grid_free(grid *map) { free(map->cells); }

bool grid_free_at(const grid *map, int x, int y) {
  return x >= 0 && x < map->width && y >= 0 && y < map->height &&
         map->cells[y * map->width + x] == '.';
}

/* Cells to look at, the most promising first: a binary heap. */
typedef struct heap {
  int count;
  uint64_t *items; /* estimate, cell */
} heap;

static void heap_push(heap *open, int estimate, int cell) {
  uint64_t item = (uint64_t)estimate << 32 | (uint32_t)cell;
  int at = open->count++;
  for (; at > 0 && open->items[(at - 1) / 2] > item; at = (at - 1) / 2)
    open->items[at] = open->items[(at - 1) / 2];
  open->items[at] = item;
}

static int heap_pop(heap *open) {
  int cell = (int)(uint32_t)open->items[0];
  uint64_t last = open->items[--open->count];
  int at = 0, child;
  while ((child = 2 * at + 1) < open->count) {
    if (child + 1 < open->count && open->items[child + 1] < open->items[child])
      child++;
    if (last <= open->items[child])
      break;
    open->items[at] = open->items[child];
    at = child;
  }
  open->items[at] = last;
  return cell;
}

int grid_path(const grid *map, int x, int y, int goal_x, int goal_y) {
  if (!grid_free_at(map, x, y) || !grid_free_at(map, goal_x, goal_y))
    return -1;
  int width = map->width, size = width * map->height;
  int *steps = malloc((size_t)size * sizeof *steps);
  /* each cell is pushed once for each neighbour at most */
  heap open = {0, malloc((size_t)size * 4 * sizeof(uint64_t))};
  int found = -1, goal = goal_y * width + goal_x;
  if (steps == NULL || open.items == NULL)
    goto done;
  for (int i = 0; i < size; i++)
    steps[i] = size;
  steps[y * width + x] = 0;
  heap_push(&open, abs(goal_x - x) + abs(goal_y - y), y * width + x);
  while (open.count > 0) {
    int cell = heap_pop(&open);
    if (cell == goal) {
      found = steps[cell];
      break;
    }
    static const int aside[4] = {1, -1, 0, 0}, down[4] = {0, 0, 1, -1};
    for (int i = 0; i < 4; i++) {
      int to_x = cell % width + aside[i], to_y = cell / width + down[i];
      int to = to_y * width + to_x;
      if (!grid_free_at(map, to_x, to_y) || steps[to] <= steps[cell] + 1)
        continue;
      steps[to] = steps[cell] + 1;
      heap_push(&open, steps[to] + abs(goal_x - to_x) + abs(goal_y - to_y), to);
    }
  }
done:
  free(steps);
  free(open.items);
  return found;
}
