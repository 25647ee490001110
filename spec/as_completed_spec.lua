local futures = require "futures"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"
local took = require "support.took"

for _, executor in ipairs(executors.pools) do
  describe("as_completed of a " .. executor.name, function()
    local ex, gs

    before_each(function()
      ex = executor.make(4)
      gs = {}
      for i = 1, 4 do gs[i] = gates.new() end
    end)
    after_each(function()
      for _, gate in ipairs(gs) do gate:close() end
      ex:shutdown { cancel_futures = true }
    end)

    local function finished(value)
      local f = futures.Future()
      f:set_result(value)
      return f
    end

    -- Tasks at the four gates.
    local function submit_all()
      local fs = {}
      for i = 1, 4 do fs[i] = ex:submit(gates.pass, gs[i].path, i) end
      return fs
    end

    it("yields each future as it is done", function()
      local fs = submit_all()
      local order = { 3, 1, 4, 2 }
      local seen = {}
      gs[3]:open()
      for f in futures.as_completed(fs) do
        seen[#seen + 1] = f:result(0)
        if #seen < 4 then gs[order[#seen + 1]]:open() end
      end
      assert.same(order, seen)
    end)

    it("keeps the order in which they were done, though nobody looked", function()
      local fs = submit_all()
      local next_one = futures.as_completed(fs)
      for _, i in ipairs { 2, 4, 1, 3 } do
        gs[i]:open()
        eventually(function() return fs[i]:done() end)
      end
      local seen = {}
      for f in next_one do seen[#seen + 1] = f:result() end
      assert.same({ 2, 4, 1, 3 }, seen)
    end)

    it("yields those first that are done already", function()
      local slow = ex:submit(gates.pass, gs[1].path)
      local a, b = finished(), finished()
      local seen = {}
      for f in futures.as_completed { slow, a, b } do
        seen[#seen + 1] = f
        if #seen == 2 then gs[1]:open() end
      end
      assert.same({ a, b, slow }, seen)
    end)

    it("yields failed and cancelled ones too", function()
      local failed, cancelled = futures.Future(), futures.Future()
      cancelled:cancel()
      failed:set_exception "no"
      local count = 0
      for f in futures.as_completed { failed, cancelled, ex:submit(function() end) } do
        assert.is_true(f:done())
        count = count + 1
      end
      assert.equal(3, count)
    end)

    it("yields a future given twice once", function()
      local f = ex:submit(function() end)
      local count = 0
      for _ in futures.as_completed { f, f, f } do count = count + 1 end
      assert.equal(1, count)
    end)

    it("ends at once when there are none", function()
      for _ in futures.as_completed {} do error "there is none" end
    end)

    it("mixes executors, and futures completed by hand", function()
      local other <close> = futures.ThreadPoolExecutor(1)
      local own = futures.Future()
      local fs = { ex:submit(function() end), other:submit(function() end), own }
      local count = 0
      for f in futures.as_completed(fs) do
        count = count + 1
        if count == 2 then
          assert.is_false(f == own)
          own:set_result()
        end
      end
      assert.equal(3, count)
    end)

    it("raises TimeoutError with the numbers when its time is over", function()
      local fs = submit_all()
      fs[5] = finished()
      gs[1]:open()
      eventually(function() return fs[1]:done() end)
      gs[2]:open()
      eventually(function() return fs[2]:done() end)
      local count, err = 0, nil
      local seconds = took(function()
        err = select(2, pcall(function()
          for _ in futures.as_completed(fs, 0.05) do count = count + 1 end
        end))
      end)
      assert.equal(3, count)
      assert.is_true(futures.isinstance(err, futures.TimeoutError))
      assert.equal("2 (of 5) futures unfinished", err.message)
      assert.is_true(seconds >= 0.05 and seconds < limits.within(2), seconds)
    end)

    it("counts its time from the call, not from each step", function()
      local fs = submit_all()
      local next_one = futures.as_completed(fs, 0.05)
      took(futures.wait, fs, 0.06) -- the time is over
      gs[1]:open()
      eventually(function() return fs[1]:done() end)
      assert.equal(fs[1], next_one())
      local seconds, ok = took(pcall, next_one)
      assert.is_false(ok)
      assert.is_true(seconds < 0.05 * limits.slow, seconds)
    end)

    it("still yields what is done when the timeout is 0", function()
      local fs = { finished(), ex:submit(gates.pass, gs[1].path), finished() }
      local count = 0
      local ok, err = pcall(function()
        for _ in futures.as_completed(fs, 0) do count = count + 1 end
      end)
      assert.is_false(ok)
      assert.equal(2, count)
      assert.equal("1 (of 3) futures unfinished", err.message)
    end)

    it("may be left: what has not been yielded goes on undisturbed", function()
      local fs = submit_all()
      gs[1]:open()
      for f in futures.as_completed(fs) do
        assert.equal(fs[1], f)
        if f then break end
      end
      for i = 2, 4 do
        assert.is_false(fs[i]:cancelled())
        gs[i]:open()
        assert.equal(i, fs[i]:result())
      end
    end)

    it("returns an iterator and what ends it, as for loops want them", function()
      local fs = submit_all()
      local next_one, state, control, closing = futures.as_completed(fs)
      assert.is_nil(state)
      assert.is_nil(control)
      do
        local _ <close> = closing
      end
      for i = 1, 4 do gs[i]:open() end
      futures.wait(fs)
      assert.is_nil(next_one())
    end)

    it("yields nothing more after its end", function()
      local next_one = futures.as_completed { finished() }
      assert.is_truthy(next_one())
      assert.is_nil(next_one())
      assert.is_nil(next_one())
    end)

    it("holds no future that it has yielded", function()
      local weak = setmetatable({}, { __mode = "k" })
      local next_one = futures.as_completed { finished({}), ex:submit(gates.pass, gs[1].path) }
      weak[next_one()] = true
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(weak))
      gs[1]:open()
      assert.is_truthy(next_one())
    end)

    it("runs callbacks at each step", function()
      local fs = submit_all()
      local called = {}
      for i, f in ipairs(fs) do
        f:add_done_callback(function() called[i] = true end)
      end
      for i = 1, 4 do gs[i]:open() end
      for f in futures.as_completed(fs) do assert.is_true(called[f:result()]) end
    end)

    it("works inside callbacks and coroutines", function()
      local fs = submit_all()
      for i = 1, 4 do gs[i]:open() end
      local sum = 0
      local f = futures.Future()
      f:add_done_callback(function()
        for g in coroutine.wrap(function()
          for h in futures.as_completed(fs) do coroutine.yield(h) end
        end) do sum = sum + g:result() end
      end)
      f:set_result()
      assert.equal(10, sum)
    end)

    it("costs time in proportion to the futures", function()
      local function seconds_for(count)
        local fs = {}
        for i = 1, count do fs[i] = ex:submit(function(x) return x end, i) end
        local sum = 0
        local seconds = took(function()
          for f in futures.as_completed(fs) do sum = sum + f:result() end
        end)
        assert.equal(count * (count + 1) // 2, sum)
        return seconds
      end
      local count = limits.scaled(50000)
      local small = seconds_for(count // 10)
      local large = seconds_for(count)
      assert.is_true(large < 60 * small + limits.within(1), large / small)
    end)
  end)
end
