--- submit.lua - tasks a second and round trips of a trivial function
--
-- Each figure stands beside its floor, the same Lua calls with the pool cut
-- out, measured in the same run: ratios matter, not the absolutes.
-- usage: build/release/run lua bench/submit.lua [TASKS [ROUNDS]]
local futures = require "futures"
local floor = require "floor" -- built beside this benchmark
local clock = floor.clock

local tasks = math.tointeger(tonumber(arg and arg[1])) or 200000
local rounds = math.tointeger(tonumber(arg and arg[2])) or 5

local function trivial(x) return x + 1 end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

--- Submit all, then read all; tasks a second.
local function burst(submit)
  local fs = {}
  collectgarbage()
  local start = clock()
  for i = 1, tasks do fs[i] = submit(i) end
  for i = 1, tasks do assert(fs[i]:result() > 0) end
  return tasks / (clock() - start)
end

--- One at a time; median and 99th percentile in microseconds.
local function trips(submit, count)
  local times = {}
  for i = 1, count do
    local start = clock()
    submit(i):result()
    times[i] = clock() - start
  end
  table.sort(times)
  return times[count // 2] * 1e6, times[count * 99 // 100] * 1e6
end

print(("%d tasks, median of %d"):format(tasks, rounds))
local pools = {}
for _, workers in ipairs { 1, 2, 8 } do
  pools[#pools + 1] = { workers = workers, rates = {}, ex = futures.ThreadPoolExecutor(workers) }
end
local floors = {}
for _ = 1, rounds do -- by turns, so that a slow stretch hits all alike
  floors[#floors + 1] = burst(function(x) return floor.submit(trivial, x) end)
  for _, pool in ipairs(pools) do
    local ex = pool.ex
    table.insert(pool.rates, burst(function(x) return ex:submit(trivial, x) end))
  end
end
local base = median(floors)
print(("floor            %8.0f tasks/s"):format(base))
for _, pool in ipairs(pools) do
  local rate = median(pool.rates)
  print(("%d worker%s %8.0f tasks/s  %3.0f %% of the floor"):format(
    pool.workers, pool.workers == 1 and "        " or "s       ", rate, 100 * rate / base))
end
for _, pool in ipairs(pools) do
  local ex = pool.ex
  trips(function(x) return ex:submit(trivial, x) end, 1000)
  local p50, p99 = trips(function(x) return ex:submit(trivial, x) end, 20000)
  print(("round trip, %d worker%s p50 %5.2f us  p99 %6.2f us"):format(
    pool.workers, pool.workers == 1 and " " or "s", p50, p99))
  ex:shutdown()
end
