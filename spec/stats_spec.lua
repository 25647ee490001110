local eventually = require "support.eventually"
local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local stopping = require "support.stopping"

local system = require "system"

for _, executor in ipairs(executors.pools) do
  describe("stats of a " .. executor.name, function()
    it("counts what became of tasks", function()
      local ex <close> = executor.make(2)
      local gate <close> = gates.new()
      local fs = {}
      for i = 1, 10 do fs[i] = ex:submit(function(x) return x end, i) end
      for i = 11, 13 do fs[i] = ex:submit(error, "x") end
      futures.wait(fs)
      local stats = ex:stats()
      assert.same({ 10, 3, 0 }, { stats.completed, stats.failed, stats.cancelled })
      local running = {}
      for i = 1, 2 do running[i] = stopping.start(ex, gates.pass, gate.path) end
      local waiting = { ex:submit(print), ex:submit(print), ex:submit(print) }
      assert.is_true(waiting[2]:cancel())
      stats = ex:stats()
      assert.same({ 2, 2, 2, 0, 1 },
        { stats.workers, stats.running, stats.pending, stats.idle, stats.cancelled })
      for _, f in ipairs(waiting) do f:cancel() end
      assert.equal(0, ex:stats().pending)
      assert.is_true(running[1]:cancel(true))
      gate:open(2)
      futures.wait(running)
      stats = ex:stats()
      assert.equal(0, stats.running)
      assert.equal(15, stats.completed + stats.cancelled + stats.failed - 3)
      eventually(function() return ex:stats().idle == 2 end)
      assert.equal(2, #stats.memory)
    end)

    it("tells the names of the tasks that run", function()
      local ex <close> = executor.make(2)
      local gate <close> = gates.new()
      assert.same({}, ex:stats().names)
      local long = ("n"):rep(100)
      local named = stopping.start(ex:options { name = "resize" }, gates.pass, gate.path)
      eventually(function() return ex:stats().names[1] == "resize" end)
      local other = stopping.start(ex:options { name = long }, gates.pass, gate.path)
      local waiting = ex:options { name = "later" }:submit(print)
      local names
      eventually(function()
        names = ex:stats().names
        return #names == 2
      end)
      table.sort(names)
      assert.equal("resize", names[2])
      assert.equal(names[1], long:sub(1, #names[1]))
      waiting:cancel()
      gate:open(2)
      futures.wait { named, other }
      assert.same({}, ex:stats().names)
      assert.equal(1, ex:submit(function() return 1 end):result())
      assert.same({}, ex:stats().names)
    end)

    it("is whole after a shutdown", function()
      local ex = executor.make(2)
      for i = 1, 1000 do ex:submit(function(x) return x end, i) end
      ex:shutdown()
      local stats = ex:stats()
      assert.same({ 1000, 0, 0, 0 },
        { stats.completed, stats.workers, stats.pending, stats.running })
      assert.same({}, stats.memory)
    end)

    it("sums up how long tasks have waited and run", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local start = system.monotime()
      local first = stopping.start(ex, gates.pass, gate.path)
      local fs = {}
      for i = 1, 3 do fs[i] = ex:submit(function() end) end
      local before = system.monotime()
      assert.has_error(function() first:result(0.1) end)
      local waited = system.monotime() - before
      gate:open()
      futures.wait(fs)
      eventually(function() return ex:stats().run_time > 0.09 end)
      local stats = ex:stats()
      local whole = system.monotime() - start
      assert.is_true(stats.run_time <= whole, stats.run_time)
      -- three waited that long, to a tick of the clock each
      assert.is_true(stats.queue_time > 3 * (waited - 0.02), stats.queue_time)
      assert.is_true(stats.queue_time < 4 * whole + limits.within(0.1), stats.queue_time)
    end)

    it("is of the executor that is asked", function()
      local ex <close> = executor.make(1)
      ex:submit(function() end):result()
      local other <close> = executor.make(1)
      assert.equal(0, other:stats().completed)
      assert.equal(0, other:stats().workers)
      assert.error_matches(function() ex.stats(1) end, "Executor expected, got number")
    end)
  end)
end
