local eventually = require "support.eventually"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"

local function endless() while true do pcall(error, "x") end end

describe("cancels that race with the end of tasks", function()
  it("never hit the next task", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local tries = limits.scaled(100000)
    local stopped, finished, hit = 0, 0, 0
    local function short(n) for _ = 1, n do end return n end
    local function innocent()
      local n = 0
      for _ = 1, 20 do n = n + 1 end
      return n
    end
    for i = 1, tries do
      local f = ex:submit(short, i % 200)
      local g = ex:submit(innocent)
      if i % 3 == 0 then while not f:running() and not f:done() do end end
      f:cancel(true)
      if g:exception() ~= nil or g:result() ~= 20 then hit = hit + 1 end
      if f:cancelled() then stopped = stopped + 1 else finished = finished + 1 end
    end
    assert.equal(0, hit)
    assert.equal(tries, stopped + finished)
    local stats = ex:stats()
    assert.equal(2 * tries, stats.completed + stats.cancelled)
    assert.equal(stopped, stats.cancelled)
  end)

  it("never interrupt its system calls", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    for i = 1, limits.scaled(300) do
      local f = ex:submit(function(n) for _ = 1, n do end end, i)
      local g = ex:submit(gates.pass, gate.path, "whole")
      f:cancel(true)
      gate:open()
      assert.equal("whole", g:result())
    end
  end)

  it("of many tasks at once stop each of them", function()
    local ex <close> = futures.ThreadPoolExecutor(4)
    for _ = 1, limits.scaled(50) do
      local fs = {}
      for i = 1, 8 do fs[i] = ex:submit(endless) end
      eventually(function() return ex:stats().running == 4 end)
      for i = 8, 1, -1 do assert.is_true(fs[i]:cancel(true)) end
      futures.wait(fs)
      for i = 1, 8 do assert.is_true(fs[i]:cancelled()) end
    end
    assert.equal("fine", ex:submit(function() return "fine" end):result())
  end)
end)
