--- process_pool_respawn.lua - a task that crashes costs itself, nothing else
local futures = require "futures"

local function work(n)
  if n == 3 then os.exit(70) end -- stands for a crash
  return n * n
end

local pool <close> = futures.ProcessPoolExecutor {
  max_workers = 2,
  on_worker_death = "respawn",
}

local fs = {}
for n = 1, 5 do fs[n] = pool:submit(work, n) end
for n = 1, 5 do
  local err = fs[n]:exception()
  print(n, err and (err.message:gsub("%d+", "N", 1)) or fs[n]:result())
end
