-- luacheck: ignore 431 432 (tasks call what they were sent by the same name)
local futures = require "futures"
local limits = require "support.limits"

-- A tree of tasks on several pools: each node submits its children to pools of
-- its choice, waits for them in a way of its choice, and returns how many nodes
-- there are from it on. Some others complete promises.
local function node(pools, seed, depth)
  local futures = require "futures"
  local function dice(sides)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % sides + 1
  end
  if depth == 0 then return 1 end
  local fs, promises = {}, {}
  for i = 1, dice(4) do
    local pool = pools[dice(#pools)]
    if dice(6) == 1 then
      local promise = futures.Future()
      promises[promise] = pool:submit(function(promise) promise:set_result(1) end, promise)
    end
    fs[i] = pool:submit(node, pools, seed + i, depth - 1)
  end
  local count, way = 1, dice(5)
  if way == 1 then
    for f in futures.as_completed(fs) do count = count + f:result(0) end
  elseif way == 2 then
    for _, f in ipairs((futures.wait(fs))) do count = count + f:result(0) end
  elseif way == 3 then
    for _, f in ipairs(fs) do count = count + f:result(600) end
  elseif way == 4 then
    local left = #fs
    for _, f in ipairs(fs) do
      f:add_done_callback(function(done)
        left = left - 1
        local ok, below = pcall(done.result, done)
        count = ok and count + below or count
      end)
    end
    while left > 0 do futures.poll(600) end
  else
    for i = #fs, 1, -1 do count = count + fs[i]:result() end
  end
  for promise, setter in pairs(promises) do
    setter:result() -- raises if that will never complete it
    count = count + promise:result() - 1
  end
  return count
end

-- The same count without pools.
local function expected(sizes, seed, depth)
  local function dice(sides)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % sides + 1
  end
  if depth == 0 then return 1 end
  local count = 1
  for i = 1, dice(4) do
    dice(sizes)
    dice(6)
    count = count + expected(sizes, seed + i, depth - 1)
  end
  return count
end

describe("trees of tasks that wait for each other", function()
  local function grow(sizes, options)
    local pools <const> = {}
    local closer <close> = setmetatable({}, { __close = function()
      for _, pool in ipairs(pools) do pool:shutdown { cancel_futures = true } end
    end })
    for i, size in ipairs(sizes) do
      pools[i] = futures.ThreadPoolExecutor { max_workers = size, max_pending = options }
    end
    for seed = 1, limits.scaled(20) do
      local f = pools[1]:submit(node, pools, seed, 4)
      assert.equal(expected(#pools, seed, 4), f:result(limits.within(30)))
    end
    return closer
  end

  it("grow on one pool with one worker", function() grow { 1 } end)
  it("grow on one pool with two workers", function() grow { 2 } end)
  it("grow over three pools that wait for each other", function() grow { 1, 1, 2 } end)
  it("grow where few tasks may wait", function() grow({ 1, 2 }, 3) end)

  it("end when everything is cancelled in the middle", function()
    for _ = 1, limits.scaled(20) do
      local pools = { futures.ThreadPoolExecutor(1), futures.ThreadPoolExecutor(2) }
      local fs = {}
      for i = 1, 4 do fs[i] = pools[i % 2 + 1]:submit(node, pools, i, 4) end
      futures.wait(fs, 0.003)
      for _, pool in ipairs(pools) do pool:shutdown { wait = false, cancel_futures = true } end
      for _, pool in ipairs(pools) do pool:shutdown() end
      for _, f in ipairs(fs) do assert.is_true(f:done()) end
    end
  end)

  it("end when nobody has the pools any more", function()
    local fs = {}
    for i = 1, limits.scaled(20) do
      local pools = { futures.ThreadPoolExecutor(1), futures.ThreadPoolExecutor(2) }
      fs[i] = pools[1]:submit(node, pools, i, 3)
    end
    collectgarbage()
    collectgarbage()
    for i, f in ipairs(fs) do assert.equal(expected(2, i, 3), f:result(limits.within(30))) end
  end)
end)
