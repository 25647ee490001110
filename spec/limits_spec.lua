local eventually = require "support.eventually"
local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local stopping = require "support.stopping"

local MiB = 1024 * 1024

local function note() SEEN = (rawget(_G, "SEEN") or 0) + 1 return SEEN end -- luacheck: ignore

for _, executor in ipairs(executors.classes) do
  describe("memory_limit of a " .. executor.name, function()
    local function hog()
      local t = {}
      for i = 1, 1e9 do t[i] = tostring(i) end
      return t
    end

    it("fails a task that needs more, as Lua words it; the state is made anew", function()
      local ex <close> = executor.one { memory_limit = 4 * MiB }
      assert.equal(1, ex:submit(note):result())
      assert.equal(2, ex:submit(note):result())
      local f = ex:submit(hog)
      assert.equal("not enough memory", f:exception())
      assert.is_nil(f:traceback())
      assert.equal(1, ex:submit(note):result())
      if not executor.serial then assert.equal(1, ex:stats().workers) end
    end)

    it("holds for a task that catches the error, too", function()
      local ex <close> = executor.one { memory_limit = 4 * MiB }
      ex:submit(note):result()
      local f = ex:submit(function(fn) return pcall(fn) end, hog)
      local ok, err = f:result()
      assert.same({ false, "not enough memory" }, { ok, err })
      assert.equal(1, ex:submit(note):result())
    end)

    it("lets garbage pass", function()
      local ex <close> = executor.one { memory_limit = 4 * MiB }
      assert.equal(10000, ex:submit(function()
        local n = 0
        for i = 1, 10000 do n = n + #("x"):rep(10000 + i) // (10000 + i) end
        return n
      end):result())
    end)

    it("counts arguments and results while they are encoded", function()
      local ex <close> = executor.one { memory_limit = 4 * MiB }
      local big = ("x"):rep(3 * MiB)
      assert.equal("not enough memory", ex:submit(function(s) return #s end, big):exception())
      local f = ex:submit(function()
        local s = ("x"):rep(MiB)
        return { s .. "1", s .. "2" }
      end)
      assert.equal("not enough memory", f:exception())
      assert.equal(MiB, #ex:submit(function() return ("x"):rep(1024 * 1024) end):result())
    end)

    it("that is too small for a state fails every task", function()
      local ex <close> = executor.one { memory_limit = 100 }
      for _ = 1, 3 do -- a process then ends at its start, which breaks the pool
        local ok, f = pcall(ex.submit, ex, function() end)
        assert.matches("not enough memory$", tostring(not ok and f or f:exception()))
      end
    end)

    it("shows what is held in stats().memory", function()
      local ex <close> = executor.one {}
      ex:submit(function() HELD = ("x"):rep(1024 * 1024) end):result() -- luacheck: ignore
      local memory = ex:stats().memory
      assert.equal(1, #memory)
      assert.is_true(memory[1] > MiB and memory[1] < 2 * MiB, memory[1])
      ex:submit(function() HELD = nil collectgarbage() end):result() -- luacheck: ignore
      assert.is_true(ex:stats().memory[1] < MiB)
    end)
  end)
end

describe("max_tasks_per_child", function()
  it("makes the state anew after so many tasks, on the same thread", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 1, max_tasks_per_child = 3 }
    local seen = {}
    for i = 1, 7 do seen[i] = ex:submit(note):result() end
    assert.same({ 1, 2, 3, 1, 2, 3, 1 }, seen)
    assert.equal(1, ex:stats().workers)
  end)

  it("goes on with a backlog, and in a shutdown without waiting", function()
    local ex = futures.ThreadPoolExecutor { max_workers = 2, max_tasks_per_child = 1 }
    local fs = {}
    for i = 1, limits.scaled(200) do fs[i] = ex:submit(note) end
    ex:shutdown(false)
    for i = 1, #fs do assert.equal(1, fs[i]:result()) end
    ex:shutdown()
  end)

  it("leaves what a task has returned whole", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 1, max_tasks_per_child = 1 }
    local fs = {}
    for i = 1, 20 do fs[i] = ex:submit(function(n) return ("x"):rep(100000) .. n end, i) end
    for i = 1, 20 do assert.equal(("x"):rep(100000) .. i, fs[i]:result()) end
  end)
end)

describe("idle_timeout", function()
  it("ends a worker that has no task for so long; the next task starts one", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 2, idle_timeout = 0.02 }
    for round = 1, 3 do
      local a, b = ex:submit(note), ex:submit(note)
      a:result()
      b:result()
      eventually(function() return ex:stats().workers == 0 end)
      assert.equal(0, ex:stats().idle, round)
      assert.same({}, ex:stats().memory)
    end
    assert.equal(1, ex:submit(note):result()) -- of a new state
    assert.equal(7, ex:stats().completed)
  end)

  it("of 0 ends it when nothing is left to do; nothing is lost", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 2, idle_timeout = 0 }
    for i = 1, limits.scaled(3000) do
      assert.equal(i, ex:submit(function(x) return x end, i):result(limits.within(10)))
    end
  end)

  it("keeps those that work", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 2, idle_timeout = 0.02 }
    local gate <close> = gates.new()
    local f = stopping.start(ex, gates.pass, gate.path, 1)
    ex:submit(note):result()
    eventually(function() return ex:stats().workers == 1 end)
    gate:open()
    assert.equal(1, f:result())
  end)

  it("does not upset shutdown", function()
    for _ = 1, limits.scaled(100) do
      local ex = futures.ThreadPoolExecutor { max_workers = 2, idle_timeout = 0.0001 }
      local f = ex:submit(note)
      f:result()
      ex:shutdown()
      assert.equal(0, ex:stats().workers)
    end
  end)
end)
