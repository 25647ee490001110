/* main.c - the program futures-worker: a worker of a process pool */
#include "futures_lua.h"

int main(int argc, char **argv) { return futures_worker_main(argc, argv); }
