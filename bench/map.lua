--- map.lua - items a second of a trivial function, against a plain loop
--
-- The floor is a loop in this state that calls the function and keeps the sum:
-- one core, no copies. Ratios matter, not the absolutes.
-- usage: build/release/run lua bench/map.lua [ITEMS [ROUNDS [WORKERS]]]
local futures = require "futures"
local floor = require "floor" -- built beside this benchmark
local clock = floor.clock

local items = math.tointeger(tonumber(arg and arg[1])) or 200000
local rounds = math.tointeger(tonumber(arg and arg[2])) or 5
local workers = math.tointeger(tonumber(arg and arg[3])) or futures.cpu_count()

local function trivial(x) return x + 1 end

--- An item of about 2 us.
local function small(x)
  for i = 1, 200 do x = x + i end
  return x
end

local numbers = {}
for i = 1, items do numbers[i] = i end

local function counter(limit)
  local n = 0
  return function()
    n = n + 1
    if n <= limit then return n end
  end
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

--- Items a second of a loop over what start() returns.
local function rate(count, start)
  collectgarbage()
  local begin, sum = clock(), 0
  for _, value in start() do sum = sum + value end
  assert(sum > 0)
  return count / (clock() - begin)
end

local function plain(fn, count)
  return function()
    local i = 0
    return function()
      i = i + 1
      if i <= count then return i, fn(numbers[i]) end
    end
  end
end

local function direct(fn, count)
  collectgarbage()
  local begin, sum = clock(), 0
  for i = 1, count do sum = sum + fn(numbers[i]) end
  assert(sum > 0)
  return count / (clock() - begin)
end

local ex <close> = futures.ThreadPoolExecutor(workers)
local tenth = { table.unpack(numbers, 1, math.min(items // 10, 200000)) }
local cases = {
  { "plain loop", function() return direct(trivial, items) end },
  { "plain iterator", function() return rate(items, plain(trivial, items)) end },
  { "map", function() return rate(items, function() return ex:map(trivial, numbers) end) end },
  { "map of an iterator", function()
    return rate(items, function() return ex:map(trivial, counter(items)) end)
  end },
  { "map, unordered", function()
    return rate(items, function()
      return ex:options { ordered = false }:map(trivial, numbers)
    end)
  end },
}
for _, chunksize in ipairs { 1, 16, 256 } do
  cases[#cases + 1] = { "map, chunksize " .. chunksize, function()
    return rate(items, function()
      return ex:options { chunksize = chunksize }:map(trivial, numbers)
    end)
  end }
end
cases[#cases + 1] = { "plain loop of 2 us", function() return direct(small, #tenth) end }
cases[#cases + 1] = { "map of 2 us", function()
  return rate(#tenth, function() return ex:map(small, tenth) end)
end }

print(("%d items, %d workers, median of %d"):format(items, workers, rounds))
local rates = {}
for _ = 1, rounds do -- by turns, so that a slow stretch hits all alike
  for i, case in ipairs(cases) do
    rates[i] = rates[i] or {}
    table.insert(rates[i], case[2]())
  end
end
for i, case in ipairs(cases) do
  print(("%-20s %6.2f M items/s"):format(case[1], median(rates[i]) / 1e6))
end
