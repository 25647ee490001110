local futures = require "futures"
local eventually = require "support.eventually"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"
local processes = require "support.processes"
local system = require "system"

local pid = processes.pid

local function running(f) eventually(function() return f:running() end) end

local function ends_cancelled(f)
  assert.is_true(f:cancel(true))
  local err = select(2, pcall(f.result, f, limits.within(20)))
  assert.is_true(futures.isinstance(err, futures.CancelledError))
  assert.is_true(f:cancelled())
end

describe("in a process pool, cancel(true)", function()
  it("stops loops of all kinds, and the worker lives on", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local process = ex:submit(pid):result()
    local loops = {
      function() while true do end end,
      function() while true do pcall(function() while true do end end) end end,
      function() coroutine.wrap(function() while true do end end)() end,
      function() while true do xpcall(error, function() while true do end end) end end,
      function() table.sort({ 3, 1, 2 }, function() while true do end end) end,
    }
    for _, loop in ipairs(loops) do
      local f = ex:submit(loop)
      running(f)
      ends_cancelled(f)
    end
    assert.equal(process, ex:submit(pid):result(limits.within(20)))
  end)

  it("cancels one that waits", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local gate <close> = gates.new()
    local first = ex:submit(gates.pass, gate.path, "first")
    running(first)
    local second = ex:submit(pid)
    assert.is_true(second:cancel(true))
    assert.is_true(second:cancelled())
    gate:open()
    assert.equal("first", first:result())
  end)

  it("lets closing variables run", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local log <close> = logs.new()
    local f = ex:submit(function(add, path)
      local _ <close> = setmetatable({}, { __close = function() add(path, "closed") end })
      add(path, "open")
      while true do end
    end, logs.add, log.path)
    eventually(function() return #log:lines() == 1 end)
    ends_cancelled(f)
    assert.same({ "open", "closed" }, log:lines())
  end)

  it("kills and replaces a worker that is stuck, which breaks nothing", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local process = ex:submit(pid):result()
    local f = ex:submit(os.execute, "sleep 30")
    running(f)
    local before = system.monotime()
    ends_cancelled(f)
    assert.is_true(system.monotime() - before < limits.within(10))
    assert.not_equal(process, ex:submit(pid):result(limits.within(20)))
    assert.is_false(processes.alive(process))
  end)

  it("kills and replaces one that is stopped", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local process = ex:submit(pid):result()
    local gate <close> = gates.new()
    local f = ex:submit(gates.pass, gate.path)
    running(f)
    processes.signal("STOP", process)
    ends_cancelled(f)
    assert.not_equal(process, ex:submit(pid):result(limits.within(20)))
  end)

  it("races with the end of tasks and never hits the next", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local cancelled, finished = 0, 0
    for i = 1, limits.scaled(3000) do
      local f = ex:submit(function(n)
        local sum = 0
        for k = 1, n do sum = sum + k end
        return sum
      end, i % 700)
      local innocent = ex:submit(function(x) return x end, i)
      if i % 3 > 0 then eventually(function() return f:running() or f:done() end) end
      f:cancel(true)
      if pcall(f.result, f, limits.within(30)) then
        finished = finished + 1
      else
        assert.is_true(f:cancelled())
        cancelled = cancelled + 1
      end
      assert.equal(i, innocent:result(limits.within(30)))
    end
    assert.is_true(cancelled + finished > 0)
  end)
end)

describe("in a process pool, a time limit", function()
  it("counts from the start, and fails the future", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local timed = ex:options { timeout = 0.1, name = "sluggish" }
    local gate <close> = gates.new()
    local first = ex:submit(gates.pass, gate.path)
    local f = timed:submit(function() while true do end end)
    local g = timed:submit(function() return "quick" end)
    running(first)
    futures.wait({ f }, 0.2)
    assert.is_false(f:done()) -- it has not started
    gate:open()
    local err = f:exception(limits.within(20))
    assert.is_true(futures.isinstance(err, futures.TimeoutError))
    assert.matches("0.1 s", err.message)
    assert.equal("quick", g:result(limits.within(20)))
  end)

  it("is kept while the program calls nothing", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local log <close> = logs.new()
    ex:options { timeout = 0.05 }:submit(function() while true do end end)
    ex:submit(logs.add, log.path, "next")
    eventually(function() return #log:lines() == 1 end)
  end)
end)

describe("in a process pool", function()
  it("a larger priority goes before all that has not started", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local gate <close> = gates.new()
    local log <close> = logs.new()
    local first = ex:submit(gates.pass, gate.path)
    running(first)
    for i = 1, 3 do ex:options { priority = -1 }:submit(logs.add, log.path, "low " .. i) end
    for i = 1, 3 do ex:submit(logs.add, log.path, "plain " .. i) end
    for i = 1, 3 do ex:options { priority = 1.5 }:submit(logs.add, log.path, "high " .. i) end
    local last = ex:options { priority = -2 }:submit(logs.add, log.path, "last")
    gate:open()
    last:result()
    assert.same({
      "high 1", "high 2", "high 3", "plain 1", "plain 2", "plain 3",
      "low 1", "low 2", "low 3", "last",
    }, log:lines())
  end)

  it("an initializer runs once in each worker", function()
    local ex <close> = futures.ProcessPoolExecutor {
      max_workers = 1,
      initializer = function(a, b) _G.made = (_G.made or 0) + a + b end,
      initargs = { 30, 12 },
    }
    local function made() return _G.made end
    assert.equal(42, ex:submit(made):result())
    assert.equal(42, ex:submit(made):result())
  end)

  it("an initializer that raises breaks the pool with its reason", function()
    local ex <close> = futures.ProcessPoolExecutor {
      max_workers = 1, initializer = function() error "no licence" end,
    }
    local err = ex:submit(pid):exception(limits.within(20))
    assert.is_true(futures.isinstance(err, futures.BrokenProcessPool))
    assert.matches("no licence", err.message)
    assert.is_false(pcall(ex.submit, ex, pid))
  end)

  it("max_tasks_per_child replaces workers, with a backlog and after shutdown", function()
    for _, wait in ipairs { true, false } do
      local ex = futures.ProcessPoolExecutor { max_workers = 2, max_tasks_per_child = 3 }
      local fs, seen, count = {}, {}, 0
      for i = 1, 60 do fs[i] = ex:submit(pid) end
      if not wait then ex:shutdown(false) end
      for i = 1, 60 do
        local process = fs[i]:result(limits.within(60))
        if not seen[process] then count = count + 1 end
        seen[process] = (seen[process] or 0) + 1
        assert.is_true(seen[process] <= 3)
      end
      assert.is_true(count >= 20)
      ex:shutdown()
    end
  end)

  it("idle_timeout ends workers that have nothing to do", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 1, idle_timeout = 0.05 }
    local process = ex:submit(pid):result()
    processes.gone(process)
    assert.not_equal(process, ex:submit(pid):result(limits.within(20)))
  end)

  it("max_pending holds submit up, and lets it go on", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 1, max_pending = 2 }
    local fs = {}
    for i = 1, 200 do fs[i] = ex:submit(function() return i end) end
    for i = 1, 200 do assert.equal(i, fs[i]:result(limits.within(20))) end
  end)

  it("memory_limit fails the task, and the state is made anew", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 1, memory_limit = 8 << 20 }
    local function hog()
      _G.hoard = {}
      for i = 1, math.huge do _G.hoard[i] = ("x"):rep(1000) .. i end
    end
    for _ = 1, 3 do
      assert.equal("not enough memory", ex:submit(hog):exception(limits.within(60)))
      assert.is_true(ex:submit(function() return _G.hoard == nil end):result(limits.within(20)))
    end
  end)

  it("memory_limit is a limit of the process as well, for C libraries", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 1, memory_limit = 8 << 20 }
    local limit = ex:submit(function()
      for line in io.lines "/proc/self/limits" do
        local soft = line:match "^Max data size%s+(%w+)"
        if soft then return math.tointeger(soft) end
      end
    end):result()
    if not limits.sanitizer then assert.is_true(limit > 8 << 20 and limit < 100 << 20) end
  end)

  it("stats count tasks and workers", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    for i = 1, 10 do ex:submit(function() return i end):result() end
    ex:submit(error):exception()
    local stats = ex:stats()
    assert.equal(1, stats.workers)
    assert.equal(10, stats.completed)
    assert.equal(1, stats.failed)
    assert.equal(0, stats.pending)
    assert.is_true(stats.run_time > 0)
    assert.is_true(stats.memory[1] > 10000)
    local gate <close> = gates.new()
    local first = ex:submit(gates.pass, gate.path)
    local second = ex:submit(pid)
    running(first)
    assert.equal(1, ex:stats().running)
    assert.equal(1, ex:stats().pending)
    assert.is_true(second:cancel())
    assert.equal(1, ex:stats().cancelled)
    gate:open()
  end)

  it("functions come back from tasks", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local add = ex:submit(function(n)
      return function(x) return x + n end
    end, 5):result()
    assert.equal(12, add(7))
  end)
end)
