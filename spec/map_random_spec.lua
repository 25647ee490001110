-- map with options, inputs and ends of all kinds, by chance.
local futures = require "futures"
local limits = require "support.limits"

local function pick(list) return list[math.random(#list)] end

--- The call of item x: fails for some, takes a while for some.
local function work(x)
  if x % 11 == 5 then error { x } end
  if x % 97 == 3 then
    for _ = 1, 3000 do x = x + 0 end
  end
  return x, x % 2 == 0 and { x } or nil
end

local function numbers(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

local function counter(count)
  local n = 0
  return function()
    n = n + 1
    if n <= count then return n end
  end
end

--- Read until `stop` results were seen; checks each, returns how many there were.
local function read(results, stop)
  local seen, count = {}, 0
  while count < stop do
    local fine, i, value, pair = pcall(results)
    if fine and i == nil then break end
    if not fine then i, value = i[1], i[1] end
    assert(i == value and not seen[i], "an item twice, or in the place of another")
    assert(fine == (i % 11 ~= 5), "an error of another item")
    assert(not fine or i % 2 == 1 or pair[1] == i)
    seen[i], count = true, count + 1
  end
  return count, seen
end

describe("map", function()
  it("runs each item once, whatever the options and the end", function()
    math.randomseed(tonumber(os.getenv "FUTURES_SEED") or 4711)
    local pools = {
      futures.ThreadPoolExecutor(1), futures.ThreadPoolExecutor(2), futures.ThreadPoolExecutor(5),
      futures.ThreadPoolExecutor { max_workers = 2, max_pending = 7 },
      futures.ThreadPoolExecutor { max_workers = 2, max_tasks_per_child = 30 },
    }
    for _ = 1, limits.scaled(80) do
      local count = pick { 0, 1, 2, 10, 100, 500, 1000 }
      local ordered = pick { true, false }
      local view = pick(pools):options {
        ordered = ordered,
        chunksize = pick { 1, 7, 300 },
        buffersize = math.random(3) == 1 and pick { 1, 5, 100 } or nil,
        priority = pick { 0, 0, 1, -1 },
      }
      local results = view:map(work, pick { numbers, counter }(count))
      local stop = pick { count + 1, count + 1, math.random(0, count) }
      local read_count, seen = read(results, stop)
      assert.are.equal(math.min(stop, count), read_count)
      if ordered then
        for i = 1, read_count do assert(seen[i]) end
      end
      if math.random(2) == 1 then results:close() end
    end
    for _, pool in ipairs(pools) do pool:shutdown() end
  end)

  it("of many executors at once loses nothing", function()
    local pools, all = {}, {}
    for i = 1, 4 do pools[i] = futures.ThreadPoolExecutor(2) end
    for round = 1, limits.scaled(20) do
      for i, pool in ipairs(pools) do
        all[i] = pool:options { ordered = round % 2 == 0 }:map(work, counter(300))
      end
      for _, results in ipairs(all) do assert.are.equal(300, (read(results, 1000))) end
    end
    for _, pool in ipairs(pools) do pool:shutdown() end
  end)

  it("survives shutdowns that cancel at any moment", function()
    for round = 1, limits.scaled(40) do
      local pool = futures.ThreadPoolExecutor(pick { 1, 2, 3 })
      local results = pool:options { chunksize = pick { 1, 50 } }:map(work, numbers(400))
      read(results, round % 5)
      pool:shutdown { wait = round % 2 == 0, cancel_futures = true }
      local rest = 0
      for _ = 1, 500 do
        local fine, i = pcall(results)
        if fine and i == nil then break end
        rest = rest + 1
      end
      assert.are.equal(400, rest + round % 5)
      pool:shutdown()
    end
  end)
end)
