local futures = require "futures"
local eventually = require "support.eventually"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"
local threads = require "support.threads"
local took = require "support.took"

local system = require "system"

local function running(fs)
  local count = 0
  for _, f in ipairs(fs) do count = count + (f:running() and 1 or 0) end
  return count
end

describe("tasks", function()
  for _, workers in ipairs { 1, 2, 16 } do
    it(("in tens of thousands on %d workers are each run once"):format(workers), function()
      local ex <close> = futures.ThreadPoolExecutor(workers)
      local count = limits.scaled(20000)
      local fs = {}
      for i = 1, count do fs[i] = ex:submit(function(x) return x * 2 end, i) end
      for i, f in ipairs(fs) do assert(f:result() == 2 * i) end
      -- and back to back
      for i = 1, count // 10 do
        assert(ex:submit(function(x) return x + 1 end, i):result() == i + 1)
      end
    end)
  end

  it("start in the order submitted", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local log <close> = logs.new()
    ex:submit(gates.pass, gate.path)
    for i = 1, 500 do ex:submit(logs.add, log.path, i) end
    gate:open()
    ex:shutdown()
    local lines = log:lines()
    assert.equal(500, #lines)
    for i, line in ipairs(lines) do assert.equal(tostring(i), line) end
  end)

  it("run at most as many as there are workers, and no fewer", function()
    local ex <close> = futures.ThreadPoolExecutor(5)
    local gate <close> = gates.new()
    local fs = {}
    for i = 1, 75 do fs[i] = ex:submit(gates.pass, gate.path) end
    for left = 75, 5, -1 do
      eventually(function() return running(fs) == 5 end)
      gate:open()
      eventually(function() return #futures.wait(fs, 0) == 75 - left + 1 end)
    end
    gate:open(5)
    assert.equal(75, #futures.wait(fs))
  end)

  it("that wait count as pending, all of them, and can be cancelled", function()
    local ex <close> = futures.ThreadPoolExecutor(2)
    local gate <close> = gates.new()
    local fs = {}
    for i = 1, 100 do fs[i] = ex:submit(gates.pass, gate.path) end
    eventually(function() return running(fs) == 2 end)
    local cancelled = 0
    for _, f in ipairs(fs) do cancelled = cancelled + (f:cancel() and 1 or 0) end
    assert.equal(98, cancelled)
    gate:open(2)
    assert.equal(100, #futures.wait(fs))
  end)

  it("that are short are not held up behind a long one", function()
    local ex <close> = futures.ThreadPoolExecutor(2)
    local gate <close> = gates.new()
    for round = 1, limits.scaled(300) do
      local short, count = {}, round % 4 == 0 and 100 or 3
      for i = 1, count do short[i] = ex:submit(function() end) end
      local long = ex:submit(gates.pass, gate.path)
      for i = count + 1, 2 * count do short[i] = ex:submit(function() end) end
      for _, f in ipairs(short) do f:result(limits.within(10)) end
      assert.is_false(long:done())
      gate:open()
      long:result()
    end
  end)

  it("run while the submitter computes and calls nothing of ours", function()
    local ex <close> = futures.ThreadPoolExecutor(2)
    local gate <close> = gates.new()
    local log <close> = logs.new()
    ex:submit(gates.pass, gate.path) -- one worker is kept, the other must do it all
    for i = 1, 200 do ex:submit(logs.add, log.path, i) end
    eventually(function() return #log:lines() == 200 end)
  end)

  it("of many pools do not disturb each other", function()
    local pools, gate <close> = {}, gates.new()
    for i = 1, 8 do pools[i] = futures.ThreadPoolExecutor(2) end
    for _ = 1, 2 do pools[1]:submit(gates.pass, gate.path) end
    for round = 1, limits.scaled(300) do
      for i = 2, 8 do
        assert(pools[i]:submit(function(x) return x end, round):result() == round)
      end
    end
    gate:open(2)
    for i = 1, 8 do pools[i]:shutdown() end
  end)
end)

describe("workers", function()
  if not threads.known then return pending "needs /proc" end

  it("start on demand: a pool without tasks has no thread", function()
    local before = threads.count()
    local ex <close> = futures.ThreadPoolExecutor(8)
    assert.equal(before, threads.count())
    ex:submit(function() end):result()
    assert.equal(before + 1, threads.count())
  end)

  it("that are idle are used before new ones start", function()
    local before = threads.count()
    local ex <close> = futures.ThreadPoolExecutor(8)
    for _ = 1, 3 do
      ex:submit(function() end):result()
      -- the worker is done with its task a little after its future is
      eventually(threads.sleeping)
    end
    assert.equal(before + 1, threads.count())
  end)

  it("are never more than allowed", function()
    local before = threads.count()
    local ex <close> = futures.ThreadPoolExecutor(3)
    local gate <close> = gates.new()
    for _ = 1, 45 do ex:submit(gates.pass, gate.path) end
    eventually(function() return threads.count() == before + 3 end)
    for _ = 1, 45 do
      gate:open()
      assert.is_true(threads.count() <= before + 3)
    end
  end)

  it("are gone when shutdown returns", function()
    local before = threads.count()
    local ex = futures.ThreadPoolExecutor(4)
    for _ = 1, 100 do ex:submit(function() end) end
    ex:shutdown()
    assert.equal(before, threads.count())
  end)

  if limits.portable then return pending "portable builds do not name threads" end

  it("carry names that a system's tools show", function()
    local ex <close> = futures.ThreadPoolExecutor(3)
    local named <close> = futures.ThreadPoolExecutor { max_workers = 2, name = "crew" }
    local gate <close> = gates.new()
    for _ = 1, 3 do ex:submit(gates.pass, gate.path) end
    for _ = 1, 2 do named:submit(gates.pass, gate.path) end
    local expected = { ["futures-1"] = 1, ["futures-2"] = 1, ["futures-3"] = 1,
      ["crew-1"] = 1, ["crew-2"] = 1 }
    eventually(function()
      local names = threads.names()
      for name in pairs(expected) do
        if names[name] ~= 1 then return false end
      end
      return true
    end)
  end)

  it("may have long names, which are cut", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 1, name = ("long"):rep(20) }
    ex:submit(function() end):result()
    assert.equal(1, threads.names()["longlonglonglon"])
  end)

  it("use no CPU and do not wake while there is nothing to do", function()
    local ex <close> = futures.ThreadPoolExecutor(4)
    local gate <close> = gates.new()
    local fs = {}
    for i = 1, 4 do fs[i] = ex:submit(gates.pass, gate.path) end
    eventually(function() return running(fs) == 4 end)
    gate:open(4)
    futures.wait(fs)
    eventually(function() return threads.sleeping "futures%-%d" end)
    local cpu, switches = os.clock(), threads.switches "futures%-%d"
    system.sleep(0.3) -- what this measures
    assert.equal(switches, threads.switches "futures%-%d")
    assert.is_true(os.clock() - cpu < limits.within(0.02))
  end)
end)

describe("a waiting caller", function()
  it("uses no CPU either", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f = ex:submit(gates.pass, gate.path)
    eventually(function() return f:running() end)
    local cpu = os.clock()
    local seconds = took(pcall, f.result, f, 0.4)
    assert.is_true(seconds >= 0.4, seconds)
    assert.is_true(os.clock() - cpu < limits.within(0.05))
  end)
end)
