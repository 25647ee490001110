local futures = require "futures"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"
local took = require "support.took"

for _, executor in ipairs(executors.pools) do
  describe("poll, with a " .. executor.name, function()
    local ex, gate, called

    local function submit(...)
      local f = ex:submit(...)
      f:add_done_callback(function() called = called + 1 end)
      return f
    end

    before_each(function()
      ex = executor.make(1)
      gate = gates.new()
      called = 0
    end)
    after_each(function()
      gate:close()
      ex:shutdown { cancel_futures = true }
    end)

    it("runs the callbacks that are due and returns how many", function()
      local fs = {}
      for i = 1, 5 do fs[i] = submit(gates.pass, gate.path) end
      fs[5]:add_done_callback(function() called = called + 1 end)
      gate:open(5)
      eventually(function() return fs[5]:done() end)
      assert.equal(6, futures.poll())
      assert.equal(6, called)
      assert.equal(0, futures.poll())
    end)

    it("does not wait unless told to", function()
      submit(gates.pass, gate.path)
      for _, timeout in ipairs { 0, -1, 0.0, -math.huge } do
        assert.equal(0, futures.poll(timeout))
      end
      assert.equal(0, futures.poll())
      assert.equal(0, futures.poll(nil))
    end)

    it("waits for the first callback, but no longer than its timeout", function()
      submit(gates.pass, gate.path)
      local seconds, count = took(futures.poll, 0.05)
      assert.equal(0, count)
      assert.is_true(seconds >= 0.05 and seconds < limits.within(2), seconds)
    end)

    it("returns as soon as a callback has run", function()
      local two <close> = futures.ThreadPoolExecutor(1)
      submit(gates.pass, gate.path)
      -- opens the gate while we wait
      two:submit(function(path)
        local file <close> = assert(io.open(path, "r+"))
        file:write "x"
      end, gate.path)
      local seconds, count = took(futures.poll, limits.within(30))
      assert.equal(1, count)
      assert.equal(1, called)
      assert.is_true(seconds < limits.within(5), seconds)
    end)

    it("is not woken by futures without callbacks", function()
      ex:submit(function() end)
      local seconds, count = took(futures.poll, 0.05)
      assert.equal(0, count)
      assert.is_true(seconds >= 0.05, seconds)
    end)

    it("returns 0 at once inside a callback", function()
      local f, inner = futures.Future(), nil
      f:add_done_callback(function() inner = futures.poll(limits.within(30)) end)
      local seconds = took(f.set_result, f)
      assert.equal(0, inner)
      assert.is_true(seconds < limits.within(5), seconds)
    end)

    it("without a timeout finds what processes have done, too", function()
      local pool <close> = futures.ProcessPoolExecutor(1)
      local barrier <close> = gates.new()
      local f = pool:submit(gates.pass, barrier.path)
      eventually(function() return f:running() end)
      f:add_done_callback(function() called = called + 1 end)
      assert.equal(0, futures.poll())
      barrier:open()
      eventually(function() return futures.poll() == 1 end) -- asks nothing else
      assert.equal(1, called)
    end)

    it("keeps a main loop going", function()
      local left = 0
      local ran = {}
      for i = 1, 20 do
        left = left + 1
        ex:submit(function(x) return x * x end, i):add_done_callback(function(f)
          left = left - 1
          ran[#ran + 1] = f:result()
        end)
      end
      while left > 0 do assert.is_true(futures.poll(limits.within(10)) > 0) end
      for i = 1, 20 do assert.equal(i * i, ran[i]) end
    end)
  end)
end
