local futures = require "futures"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"
local took = require "support.took"

for _, executor in ipairs(executors.pools) do
  describe("wait for a " .. executor.name, function()
    local ex, gate, keeper

    -- The only worker is kept by a task until the gate opens.
    before_each(function()
      ex = executor.make(1)
      gate = gates.new()
      keeper = ex:submit(gates.pass, gate.path, "kept")
    end)
    after_each(function()
      gate:close()
      ex:shutdown { cancel_futures = true }
    end)

    local function finished(value)
      local f = futures.Future()
      f:set_result(value)
      return f
    end

    local function failed()
      local f = futures.Future()
      f:set_exception "no"
      return f
    end

    local function cancelled()
      local f = futures.Future()
      f:cancel()
      return f
    end

    it("returns when all are done, in the order given", function()
      local fs = { keeper }
      for i = 2, 20 do fs[i] = ex:submit(function() end) end
      gate:open()
      local done, not_done = futures.wait(fs)
      assert.same({}, not_done)
      assert.equal(20, #done)
      for i, f in ipairs(fs) do assert.equal(f, done[i]) end
    end)

    it("returns what is done so far when the time is over, which is no error", function()
      local a, b = finished(), ex:submit(function() end)
      local seconds, done, not_done = took(futures.wait, { b, a, keeper }, 0.05)
      assert.is_true(seconds >= 0.05 and seconds < limits.within(2), seconds)
      assert.same({ { a }, { b, keeper } }, { done, not_done })
    end)

    it("only looks when the timeout is 0 or less", function()
      for _, timeout in ipairs { 0, -1 } do
        local done, not_done = futures.wait({ keeper }, timeout)
        assert.same({ {}, { keeper } }, { done, not_done })
      end
    end)

    it("takes its options as a table too", function()
      local a = finished()
      local done, not_done = futures.wait({ keeper, a }, { return_when = futures.FIRST_COMPLETED })
      assert.same({ { a }, { keeper } }, { done, not_done })
      done, not_done = futures.wait({ keeper, a }, { timeout = 0.01 })
      assert.same({ { a }, { keeper } }, { done, not_done })
      gate:open()
      assert.equal(2, #futures.wait({ keeper, a }, {}))
    end)

    it("of nothing returns nothing at once", function()
      for _, when in ipairs { "ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION" } do
        assert.same({ {}, {} }, { futures.wait({}, nil, when) })
      end
    end)

    it("counts a future given twice once", function()
      local a = finished()
      local done, not_done = futures.wait({ a, keeper, a, keeper }, 0)
      assert.same({ { a }, { keeper } }, { done, not_done })
      gate:open()
      done = futures.wait { keeper, a, keeper, a }
      assert.same({ keeper, a }, done)
    end)

    it("mixes executors, and futures completed by hand", function()
      local other <close> = futures.ThreadPoolExecutor(2)
      local fs = { keeper, other:submit(function() end), finished(), cancelled() }
      gate:open()
      assert.same(fs, (futures.wait(fs)))
    end)

    it("counts a cancelled future as done, before anybody is told", function()
      local behind = ex:submit(function() end)
      behind:cancel() -- and the worker is busy: it has not seen that
      local done, not_done = futures.wait({ behind }, limits.within(10))
      assert.same({ { behind }, {} }, { done, not_done })
      ex:shutdown { wait = false, cancel_futures = true }
      gate:open()
      assert.equal(2, #futures.wait { behind, keeper })
    end)

    it("is woken by cancellation from a callback", function()
      local two <close> = futures.ThreadPoolExecutor(1)
      local behind = ex:submit(function() end)
      two:submit(function() end):add_done_callback(function() behind:cancel() end)
      assert.same({ behind }, (futures.wait({ behind }, limits.within(10))))
    end)

    describe("for FIRST_COMPLETED", function()
      local when = futures.FIRST_COMPLETED

      it("returns at once if one is done", function()
        for _, f in ipairs { finished(), failed(), cancelled() } do
          assert.same({ { f }, { keeper } }, { futures.wait({ keeper, f }, nil, when) })
        end
      end)

      it("returns when the first is done, or fails, or is cancelled", function()
        local behind = ex:submit(function() error "no" end)
        local own = futures.Future()
        gate:open()
        local done = futures.wait({ own, keeper, behind }, limits.within(10), when)
        assert.is_true(#done >= 1)
        done = futures.wait({ own, behind }, limits.within(10), when)
        assert.same({ behind }, done)
      end)
    end)

    describe("for FIRST_EXCEPTION", function()
      local when = futures.FIRST_EXCEPTION

      it("returns at once if one has failed", function()
        local f = failed()
        assert.same({ { f }, { keeper } }, { futures.wait({ keeper, f }, nil, when) })
      end)

      it("returns when the first fails, whatever succeeds before", function()
        local fs = { keeper }
        for i = 2, 10 do fs[i] = ex:submit(function() end) end
        fs[11] = ex:submit(function() error "no" end)
        fs[12] = ex:submit(gates.pass, gate.path)
        gate:open()
        local done, not_done = futures.wait(fs, limits.within(10), when)
        assert.equal(11, #done)
        assert.same({ fs[12] }, not_done)
      end)

      it("takes a cancelled future for no exception", function()
        local seconds, done, not_done = took(futures.wait, { cancelled(), keeper }, 0.05, when)
        assert.is_true(seconds >= 0.05, seconds)
        assert.equal(1, #done)
        assert.same({ keeper }, not_done)
      end)

      it("waits for all if none fails", function()
        local last = ex:submit(function() end)
        gate:open()
        assert.same({ { keeper, last }, {} }, { futures.wait({ keeper, last }, nil, when) })
      end)
    end)

    it("misses no future that is done while it begins to wait", function()
      local two <close> = executor.make(2)
      local whens = { futures.FIRST_COMPLETED, futures.FIRST_EXCEPTION }
      local fs = {} -- so many that it takes a while to begin
      for i = 1, 5000 do fs[i] = futures.Future() end
      local function count(n)
        for _ = 1, n do end
        error "done"
      end
      local longest = 4 * took(futures.wait, fs, 0) / took(pcall, count, 1e6) * 1e6
      local rounds = limits.scaled(300)
      for round = 1, rounds do
        fs[5001] = two:submit(count, longest * round // rounds)
        local seconds, done = took(futures.wait, fs, limits.within(5), whens[round % 2 + 1])
        assert.equal(1, #done)
        assert.is_true(seconds < limits.within(4), seconds)
      end
      for round = 1, limits.scaled(100) do
        local some = {}
        for i = 1, 100 do some[i] = two:submit(function() return round end) end
        local seconds, done = took(futures.wait, some, limits.within(5))
        assert.equal(100, #done)
        assert.is_true(seconds < limits.within(4), seconds)
      end
    end)

    it("leaves nothing behind on futures that it gave up waiting for", function()
      for _ = 1, limits.scaled(10000) do futures.wait({ keeper }, 0) end
      for _ = 1, limits.scaled(1000) do futures.wait({ keeper }, 1e-6) end
      local seconds = took(function()
        gate:open()
        keeper:result()
      end)
      assert.is_true(seconds < limits.within(2), seconds)
    end)

    it("costs time in proportion to the futures: 100,000 are no problem", function()
      local all <close> = executor.make(2)
      local function seconds_for(count)
        local fs = {}
        for i = 1, count do fs[i] = all:submit(function() end) end
        local seconds, done = took(futures.wait, fs)
        assert.equal(count, #done)
        return seconds
      end
      local count = limits.scaled(100000)
      local small = seconds_for(count // 10)
      local large = seconds_for(count)
      assert.is_true(large < 60 * small + limits.within(1), large / small)
    end)
  end)
end

for _, executor in ipairs(executors.pools) do
  describe("many waits on one future of a " .. executor.name, function()
    it("all end when it does", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local f = ex:submit(gates.pass, gate.path, "value")
      eventually(function() return f:running() end)
      local woken, waits = 0, {}
      for i = 1, 5 do waits[i] = futures.as_completed { f } end
      gate:open()
      for i = 1, 5 do
        for g in waits[i] do
          assert.equal(f, g)
          woken = woken + 1
        end
      end
      assert.equal(5, woken)
    end)
  end)
end
