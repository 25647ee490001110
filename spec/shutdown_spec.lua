local futures = require "futures"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local logs = require "support.log"

for _, executor in ipairs(executors.classes) do
  describe("shutdown of a " .. executor.name, function()
    it("lets no new task in", function()
      local ex = executor.make(1)
      ex:shutdown(false)
      local ok, err = pcall(ex.submit, ex, function() end)
      assert.is_false(ok)
      assert.is_true(futures.isinstance(err, futures.RuntimeError))
      assert.equal("cannot schedule new futures after shutdown", err.message)
    end)

    it("of a pool that never had a task returns at once", function()
      executor.make(4):shutdown()
    end)

    if executor.serial then return end

    it("waits until all tasks have run", function()
      local ex = executor.make(2)
      local gate <close> = gates.new()
      local fs = {}
      for i = 1, 20 do fs[i] = ex:submit(gates.pass, gate.path) end
      gate:open(20)
      ex:shutdown()
      for _, f in ipairs(fs) do assert.is_true(f:done()) end
    end)

    it("returns at once if told so, and the tasks still run", function()
      for _, how in ipairs { false, { { wait = false } } } do
        local ex = executor.make(1)
        local gate <close> = gates.new()
        local first = ex:submit(gates.pass, gate.path, "first")
        local second = ex:submit(gates.pass, gate.path, "second")
        ex:shutdown(type(how) == "table" and how[1] or how)
        assert.is_false(first:done())
        gate:open(2)
        assert.equal("first", first:result(10))
        assert.equal("second", second:result(10))
      end
    end)

    it("cancels what has not started if told so, and what runs ends well", function()
      local ex = executor.make(1)
      local gate <close> = gates.new()
      local first = ex:submit(gates.pass, gate.path, "ran")
      eventually(function() return first:running() end)
      local rest, called = {}, 0
      for i = 1, 100 do
        rest[i] = ex:submit(gates.pass, gate.path)
        rest[i]:add_done_callback(function() called = called + 1 end)
      end
      ex:shutdown { wait = false, cancel_futures = true }
      for _, f in ipairs(rest) do assert.is_true(f:cancelled()) end
      assert.equal(100, called)
      gate:open()
      assert.equal("ran", first:result(10))
      ex:shutdown()
    end)

    it("may cancel and wait in one", function()
      local ex = executor.make(1)
      local gate <close> = gates.new()
      local first = ex:submit(gates.pass, gate.path, "ran")
      eventually(function() return first:running() end)
      local second = ex:submit(gates.pass, gate.path)
      gate:open(2)
      ex:shutdown { cancel_futures = true }
      assert.is_true(first:done())
      -- it may have started between the gate and the shutdown
      assert.is_true(second:cancelled() or second:done())
    end)

    it("may be called again, also to wait after all", function()
      local ex = executor.make(1)
      local gate <close> = gates.new()
      local f = ex:submit(gates.pass, gate.path)
      ex:shutdown(false)
      ex:shutdown { wait = false }
      gate:open()
      ex:shutdown()
      assert.is_true(f:done())
      ex:shutdown(true)
      ex:shutdown(nil)
    end)

    it("right after a cancelled task does not hang", function()
      local ex = executor.make(1)
      local gate <close> = gates.new()
      local first = ex:submit(gates.pass, gate.path)
      local second = ex:submit(gates.pass, gate.path)
      eventually(function() return first:running() end)
      assert.is_true(second:cancel())
      gate:open()
      ex:shutdown()
    end)
  end)
end

for _, executor in ipairs(executors.classes) do
  describe("<close> of a " .. executor.name, function()
    it("shuts the pool down and waits for its tasks", function()
      local log <close> = logs.new()
      local pool
      do
        local ex <close> = executor.make(2)
        pool = ex
        for i = 1, 20 do ex:submit(logs.add, log.path, i) end
      end
      assert.equal(20, #log:lines())
      assert.is_false(pcall(pool.submit, pool, print))
    end)

    it("lets the tasks run when the block is left by return or break", function()
      local f
      local function leave()
        local ex <close> = executor.make(1)
        f = ex:submit(function() return "ran" end)
        return "left"
      end
      assert.equal("left", leave())
      assert.equal("ran", f:result(0))
      while true do
        local ex <close> = executor.make(1)
        f = ex:submit(function() return "ran too" end)
        if f then break end
      end
      assert.equal("ran too", f:result(0))
    end)

    if executor.serial then return end

    it("cancels what has not started when the block is left by an error", function()
      local gate <close> = gates.new()
      local first, second
      local ok, err = pcall(function()
        local ex <close> = executor.make(1)
        first = ex:submit(gates.pass, gate.path, "ran")
        second = ex:submit(gates.pass, gate.path)
        eventually(function() return first:running() end)
        -- the running task is waited for, so somebody must let it go: a callback
        -- of the second, which runs when that is cancelled
        second:add_done_callback(function() gate:open() end)
        error { "left" }
      end)
      assert.is_false(ok)
      assert.same({ "left" }, err)
      assert.is_true(second:cancelled())
      assert.equal("ran", first:result(0))
    end)
  end)
end
