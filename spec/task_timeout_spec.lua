local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"
local took = require "support.took"

local function forever() while true do end end

for _, executor in ipairs(executors.classes) do
  describe("a task of a " .. executor.name .. " with a time limit", function()
    it("is stopped, and its future fails with TimeoutError", function()
      local ex <close> = executor.make(1)
      local f
      local seconds, err = took(function()
        f = ex:options { timeout = 0.1 }:submit(forever)
        return f:exception()
      end)
      assert.is_true(futures.isinstance(err, futures.TimeoutError))
      assert.equal("task timed out after 0.1 s", err.message)
      assert.is_true(seconds > 0.09 and seconds < limits.within(0.5), seconds)
      assert.is_false(f:cancelled())
      assert.matches("raised TimeoutError>$", tostring(f))
    end)

    it("is told by its name", function()
      local ex <close> = executor.make(1)
      local f = ex:options { timeout = 0.02, name = "resize" }:submit(forever)
      assert.equal("task 'resize' timed out after 0.02 s", f:exception().message)
    end)

    it("of 0 or less is stopped at its start", function()
      local ex <close> = executor.make(1)
      for _, timeout in ipairs { 0, -1 } do
        local f = ex:options { timeout = timeout }:submit(forever)
        assert.is_true(futures.isinstance(f:exception(), futures.TimeoutError))
      end
    end)

    it("that ends in time leaves nothing that hits the next", function()
      local ex <close> = executor.make(2)
      local fs = {}
      for i = 1, limits.scaled(2000) do
        fs[i] = ex:options { timeout = 0.0005 }:submit(function(n)
          for _ = 1, n do end
          return n
        end, i % 1000)
        fs[-i] = ex:submit(function() for _ = 1, 1000 do end return "fine" end)
      end
      for i = 1, limits.scaled(2000) do
        local err = fs[i]:exception()
        assert.is_true(err == nil or futures.isinstance(err, futures.TimeoutError))
        assert.equal("fine", fs[-i]:result())
      end
    end)

    it("costs no wake-up when it ends in time, however many", function()
      local ex <close> = executor.make(1)
      local sum = 0
      for i = 1, 1000 do
        sum = sum + ex:options { timeout = 60 }:submit(function(x) return x end, i):result()
      end
      assert.equal(500500, sum)
    end)

    it("of math.huge has none", function()
      local ex <close> = executor.make(1)
      assert.equal(1, ex:options { timeout = math.huge }:submit(function() return 1 end):result())
    end)

    it("may clean up before it ends, and its executor goes on", function()
      local ex <close> = executor.make(1)
      local log <close> = logs.new()
      local f = ex:options { timeout = limits.within(0.2) }:submit(function(add, path)
        local _ <close> = setmetatable({}, { __close = function() add(path, "closed") end })
        while true do pcall(function() while true do end end) end
      end, logs.add, log.path)
      assert.is_true(futures.isinstance(f:exception(), futures.TimeoutError))
      assert.same({ "closed" }, log:lines())
      assert.equal(1, ex:submit(function() return 1 end):result())
    end)

    if executor.serial then return end -- where nothing waits, and nobody else is there

    it("has it counted from its start", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local limit = limits.within(0.4)
      local first = ex:submit(gates.pass, gate.path)
      local f = ex:options { timeout = limit }:submit(function(seconds)
        local monotime = require "system".monotime
        local start = monotime()
        while monotime() - start < seconds do end -- so that somebody could stop it
        return "in time"
      end, limit / 4)
      assert.has_error(function() first:result(1.25 * limit) end) -- longer than it may run
      gate:open()
      assert.equal("in time", f:result())
    end)

    it("may be cancelled before, and is cancelled then", function()
      local ex <close> = executor.make(1)
      local f = ex:options { timeout = 100 }:submit(forever)
      repeat until f:running()
      assert.is_true(f:cancel(true))
      futures.wait { f }
      assert.is_true(f:cancelled())
    end)
  end)
end

for _, executor in ipairs(executors.classes) do
  describe("the name of a task of a " .. executor.name, function()
    it("shows in its traceback", function()
      local ex <close> = executor.make(1)
      local f = ex:options { name = "resize" }:submit(function() error "boom" end)
      assert.matches("boom$", f:exception())
      assert.matches("\n\tin task 'resize'$", f:traceback())
      local g = ex:submit(function() error "boom" end)
      futures.wait { g }
      assert.not_matches("in task", g:traceback())
    end)
  end)
end
