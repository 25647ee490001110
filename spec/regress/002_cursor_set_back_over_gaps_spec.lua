-- A worker of an unordered map gave back what it had not come to. Segments behind
-- that, read meanwhile, were counted as still to be lent, so items were lent that
-- were not there yet: a crash.
local futures = require "futures"
local limits = require "support.limits"

local function pick(list) return list[math.random(#list)] end

local function work(x)
  if x % 11 == 5 then error { x } end
  return x, x % 2 == 0 and { x } or nil
end

local function counter(count)
  local n = 0
  return function()
    n = n + 1
    if n <= count then return n end
  end
end

local function numbers(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

describe("an unordered map", function()
  it("whose workers give items back yields them all", function()
    math.randomseed(4711)
    local pools = {
      futures.ThreadPoolExecutor(1), futures.ThreadPoolExecutor(2), futures.ThreadPoolExecutor(5),
    }
    for round = 1, limits.scaled(1000) do
      local count = pick { 2, 10, 100, 500, 1000 }
      local results = pick(pools):options {
        ordered = false,
        chunksize = pick { 1, 7, 300 },
        buffersize = math.random(3) == 1 and pick { 1, 5, 100 } or nil,
        priority = pick { 0, 0, 1, -1 },
      }:map(work, round % 2 == 0 and counter(count) or numbers(count))
      local sum, read = 0, math.random(3) == 1 and math.random(0, count) or count
      for _ = 1, read do -- as fast as can be
        local fine, i = pcall(results)
        sum = sum + (fine and i or i[1])
      end
      if read == count then assert.equal(count * (count + 1) // 2, sum) end
      if math.random(2) == 1 then results:close() end
      if math.random(10) == 1 then collectgarbage() end
    end
    for _, pool in ipairs(pools) do pool:shutdown { cancel_futures = true } end
  end)
end)
