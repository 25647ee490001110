/* plain.c - a host without Lua */
#include <futures.h>
#include <stdatomic.h>
#include <stdio.h>

static void *wait_for(void *flag) {
  while (!atomic_load((atomic_bool *)flag))
    ;
  return flag;
}

static void count(futures_future *future, void *context) {
  (void)future;
  atomic_fetch_add((atomic_int *)context, 1);
}

int main(void) {
  futures_pool_options options = {.max_workers = 2, .name = "plain"};
  futures_executor *pool;
  if (futures_thread_pool_new(&options, &pool) != FUTURES_OK)
    return 1;
  atomic_bool flags[3] = {false, true, false};
  atomic_int calls = 0;
  futures_future *fs[3];
  for (int i = 0; i < 3; i++)
    if (futures_submit(pool, wait_for, &flags[i], &fs[i]) != FUTURES_OK ||
        futures_add_done_callback(fs[i], count, &calls) != FUTURES_OK)
      return 1;
  size_t first;
  if (futures_wait_first(fs, 3, futures_after(60), &first) != FUTURES_OK)
    return 1;
  printf("first %zu", first);
  atomic_store(&flags[0], true);
  atomic_store(&flags[2], true);
  if (futures_wait_all(fs, 3, futures_after(60)) != FUTURES_OK)
    return 1;
  for (int i = 0; i < 3; i++)
    futures_future_release(fs[i]);
  futures_shutdown(pool, false);
  if (futures_join(pool, futures_after(60)) != FUTURES_OK)
    return 1;
  futures_executor_release(pool);
  printf(", all done, callbacks %d\n", atomic_load(&calls));
  return 0;
}
