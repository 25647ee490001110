local child = require "support.child"
local eventually = require "support.eventually"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local stopping = require "support.stopping"
local threads = require "support.threads"
local took = require "support.took"

-- Stuck in C until the gate opens.
local function stuck(path, mark)
  local file <close> = io.open(path, "r")
  file:setvbuf "no"
  require "stuck".read(file, mark)
  return "late"
end

local function start(ex, path)
  return stopping.start_marked(ex, function(mark, fn, name) return fn(name, mark) end, stuck, path)
end

-- Return the names of the threads of the pool of that name.
local function workers(name)
  local names = {}
  for thread in pairs(threads.names()) do
    if thread:find(name .. "-", 1, true) == 1 then names[#names + 1] = thread end
  end
  return names
end

local function none_runs(names)
  local running = threads.names()
  for _, name in ipairs(names) do
    if running[name] then return false end
  end
  return true
end

-- Stop a task that is stuck; return the seconds until it was given up.
local function give_up(f)
  assert.is_true(f:cancel(true))
  return (took(futures.wait, { f }, limits.within(5)))
end

describe("a task stuck in C that is cancelled", function()
  local gate
  before_each(function() gate = gates.new() end)
  after_each(function() gate:close() end)

  it("is given up after 1 s: its future ends, the worker is replaced", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = start(ex, gate.path)
    local waiting = ex:submit(function() return "fine" end)
    local seconds = give_up(f)
    assert.is_true(f:cancelled())
    assert.is_true(seconds > 0.95 and seconds < limits.within(1.5), seconds)
    assert.equal("fine", waiting:result(limits.within(5)))
    assert.equal(1, ex:stats().workers)
    assert.equal(1, ex:stats().cancelled)
  end)

  it("has its late result dropped, and the worker retires", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 2, name = "stuck" }
    local fs = {}
    for round = 1, threads.known and 2 or 1 do -- as many again once these are back
      for i = 1, 2 do fs[i] = start(ex, gate.path) end
      for i = 1, 2 do assert.is_true(fs[i]:cancel(true)) end
      futures.wait(fs)
      local gone = threads.known and workers "stuck" or {}
      for _ = 1, 2 do
        assert.equal("fine", ex:submit(function() return "fine" end):result())
      end
      local other = stopping.start(ex, gates.pass, gate.path, round)
      gate:open(3)
      assert.equal(round, other:result())
      eventually(function() return not threads.known or none_runs(gone) end)
      for i = 1, 2 do assert.is_true(fs[i]:cancelled()) end
    end
    assert.is_true(ex:stats().workers <= 2)
  end)

  it("does not hold up shutdown", function()
    local ex = futures.ThreadPoolExecutor(1)
    local f = start(ex, gate.path)
    give_up(f)
    assert.is_true(took(ex.shutdown, ex) < limits.within(1))
  end)

  it("breaks the pool when there are more such than workers", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = start(ex, gate.path)
    give_up(f)
    local g = start(ex, gate.path)
    local pending = ex:submit(function() end)
    give_up(g)
    assert.is_true(g:cancelled())
    local err = pending:exception()
    assert.is_true(futures.isinstance(err, futures.BrokenThreadPool))
    assert.matches("2 tasks are stuck", err.message)
    local ok, refused = pcall(ex.submit, ex, print)
    assert.is_false(ok)
    assert.is_true(futures.isinstance(refused, futures.BrokenThreadPool))
    assert.matches("2 tasks are stuck", refused.message)
    assert.matches("broken>$", tostring(ex))
    ex:shutdown()
  end)

  it("that comes back in time is not given up", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = start(ex, gate.path)
    assert.is_true(f:cancel(true))
    gate:open()
    futures.wait { f }
    assert.equal("fine", ex:submit(function() return "fine" end):result())
    assert.equal(1, ex:stats().workers)
  end)

  it("fails by TimeoutError if it was its time limit", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = start(ex:options { timeout = 0.3, name = "slow" }, gate.path)
    local err = f:exception(limits.within(5))
    assert.is_true(futures.isinstance(err, futures.TimeoutError))
    assert.equal("task 'slow' timed out after 0.3 s", err.message)
    gate:open()
    local other = ex:submit(gates.pass, gate.path, 1)
    gate:open()
    other:result()
    assert.equal(err, f:exception())
    assert.equal(1, ex:stats().failed)
  end)

  it("lets the script end", function()
    local seconds, output, how, status = took(child.run, [[
      local futures = require "futures"
      local ex = futures.ThreadPoolExecutor(1)
      local f = ex:submit(function() require "stuck".nap(1000) end)
      repeat until f:running()
      print(f:cancel(true))
      futures.wait { f }
      print(f)
    ]])
    assert.matches("^true\n<Future at 0x%x+ state=cancelled>\n$", output)
    assert.same({ "exit", 0 }, { how, status })
    assert.is_true(seconds < limits.within(3), seconds)
  end)

  it("leaves to the others what its worker had taken ahead", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local first = stopping.start(ex, gates.pass, gate.path)
    local fs = {}
    for i = 1, 40 do fs[i] = ex:submit(function(x) return x end, i) end
    os.execute("mkfifo " .. gate.path .. ".2")
    local second = io.open(gate.path .. ".2", "r+")
    local mark = os.tmpname()
    local f = ex:submit(stuck, gate.path .. ".2", mark)
    for i = 41, 200 do fs[i] = ex:submit(function(x) return x end, i) end
    gate:open()
    first:result()
    eventually(function() return f:running() end)
    give_up(f) -- stuck, or just before that
    for i = 1, 200 do assert.equal(i, fs[i]:result(limits.within(5))) end
    second:write("x"):close()
    os.remove(gate.path .. ".2")
    os.remove(mark)
  end)
end)
