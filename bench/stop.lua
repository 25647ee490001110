--- stop.lua - what it costs that tasks can be stopped, and how soon they are
--
-- A loop in a worker beside the same loop in this thread, whose functions are
-- Lua's own: no difference is expected. pcall and coroutines are our own in a
-- worker. The median time from cancel(true) to the end of the future.
-- usage: build/release/run lua bench/stop.lua [ROUNDS]
local futures = require "futures"
local floor = require "floor" -- built beside this benchmark

local rounds = math.tointeger(tonumber(arg and arg[1])) or 40

local function percentile(list, part)
  table.sort(list)
  return list[math.ceil(#list * part)]
end

local work = {
  { "a loop", function()
    local n = 0
    for i = 1, 4e6 do n = n + i % 7 end
    return n
  end },
  { "calls", function()
    local function add(a, b) return a + b end
    local n = 0
    for i = 1, 1e6 do n = add(n, i) end
    return n
  end },
  { "new tables", function()
    local t
    for i = 1, 2e5 do t = { i, t and #t } end
    return #t
  end },
  { "pcall", function()
    local n = 0
    for _ = 1, 4e5 do if pcall(type, n) then n = n + 1 end end
    return n
  end },
  { "resume and yield", function()
    local co = coroutine.wrap(function() while true do coroutine.yield(1) end end)
    local n = 0
    for _ = 1, 2e5 do n = n + co() end
    return n
  end },
}

local ex = futures.ThreadPoolExecutor(1)

-- Where the time is taken by the thread that works.
local function timed(fn)
  local clock = require "floor".clock
  local start = clock()
  fn()
  return clock() - start
end

print(("best of %-2d         here    worker"):format(rounds))
for _, case in ipairs(work) do
  local here, there = {}, {}
  for i = 1, rounds do -- by turns, so that a slow stretch hits both
    here[i] = timed(case[2])
    there[i] = ex:submit(timed, case[2]):result()
  end
  local a, b = math.min(table.unpack(here)), math.min(table.unpack(there))
  print(("%-17s %5.0f ms  %5.0f ms  %+5.1f %%"):format(
    case[1], a * 1e3, b * 1e3, 100 * (b / a - 1)))
end

local times = {}
for i = 1, 500 do
  local f = ex:submit(function() while true do pcall(error) end end)
  repeat until f:running()
  local start = floor.clock()
  f:cancel(true)
  futures.wait { f }
  times[i] = floor.clock() - start
end
print(("time to stop: p50 %.1f us  p99 %.1f us"):format(
  percentile(times, 0.5) * 1e6, percentile(times, 0.99) * 1e6))
ex:shutdown()
