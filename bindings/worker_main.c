/* worker_main.c - the program futures-worker: a worker of a process pool */
#include "worker.h"

int main(int argc, char **argv) {
  return fut_process_worker_main(argc, argv, &worker_ops);
}
