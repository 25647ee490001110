-- luacheck: ignore 431 432 (tasks call what they were sent by the same name)
local futures = require "futures"
local eventually = require "support.eventually"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"
local took = require "support.took"

-- Each waits in its own way for a task that it was given, and returns what that
-- came to.
local waits = {
  ["result"] = function(f) return f:result() end,
  ["result with a timeout"] = function(f) return f:result(600) end,
  ["exception"] = function(f)
    assert(f:exception() == nil)
    return f:result(0)
  end,
  ["wait"] = function(f)
    assert(#futures.wait { f } == 1)
    return f:result(0)
  end,
  ["wait with a timeout"] = function(f)
    assert(#futures.wait({ f }, 600) == 1)
    return f:result(0)
  end,
  ["wait for the first"] = function(f)
    assert(#futures.wait({ f }, nil, futures.FIRST_COMPLETED) == 1)
    return f:result(0)
  end,
  ["as_completed"] = function(f)
    for done in futures.as_completed { f } do assert(done == f) end
    return f:result(0)
  end,
  ["poll"] = function(f)
    local called = false
    f:add_done_callback(function() called = true end)
    while not called do futures.poll(600) end
    return f:result(0)
  end,
}

local function deep(ex, wait, depth)
  if depth == 0 then return 0 end
  return 1 + wait(ex:submit(deep, ex, wait, depth - 1))
end

-- Sum up 1 to count, each number returned by a task.
local function wide(ex, count, sum)
  local fs = {}
  for i = 1, count do fs[i] = ex:submit("return ...", i) end
  return sum(fs)
end

local sums = {
  ["result"] = function(fs)
    local sum = 0
    for _, f in ipairs(fs) do sum = sum + f:result() end
    return sum
  end,
  ["wait"] = function(fs)
    local sum = 0
    for _, f in ipairs((futures.wait(fs))) do sum = sum + f:result(0) end
    return sum
  end,
  ["as_completed"] = function(fs)
    local sum = 0
    for f in futures.as_completed(fs) do sum = sum + f:result(0) end
    return sum
  end,
}

for _, workers in ipairs { 1, 2, 16 } do
  describe(("tasks of a pool of %d"):format(workers), function()
    local depth = workers == 1 and 100 or 20
    for name, wait in pairs(waits) do
      it(("wait for each other by %s, %d deep"):format(name, depth), function()
        local ex <close> = futures.ThreadPoolExecutor(workers)
        assert.equal(depth, ex:submit(deep, ex, wait, depth):result())
      end)
    end

    for name, sum in pairs(sums) do
      it("wait for 1,000 others by " .. name, function()
        local ex <close> = futures.ThreadPoolExecutor(workers)
        assert.equal(500500, ex:submit(wide, ex, 1000, sum):result())
      end)
    end

    it("wait for room in a queue that is full of their own", function()
      local ex <close> = futures.ThreadPoolExecutor { max_workers = workers, max_pending = 2 }
      assert.equal(5050, ex:submit(wide, ex, 100, sums.result):result())
    end)
  end)
end

describe("a task that waits for another of its pool", function()
  it("runs it itself if nobody has begun with it", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local outer, inner, threads = ex:submit(function(pool)
      local f = pool:submit(function() return futures.current().worker end)
      local worker = f:result()
      return futures.current().worker, worker, tostring(pool):match "workers=(%d+)"
    end, ex):result()
    assert.same({ 1, 1, "1" }, { outer, inner, threads })
  end)

  it("waits no longer than it was told to", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local function impatient(ex, path)
      local f = ex:submit(gates.pass, path)
      return pcall(f.result, f, 0.05)
    end
    local f = ex:submit(impatient, ex, gate.path)
    local ok, err
    local seconds = took(function() ok, err = f:result() end)
    assert.is_false(ok)
    assert.is_true(futures.isinstance(err, futures.TimeoutError), tostring(err))
    assert.is_true(seconds >= 0.05, seconds)
  end)

  it("sees the first of many though others have not begun", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local function first(ex, path)
      local quick, slow = ex:submit("return 'quick'"), ex:submit(gates.pass, path)
      local done, not_done = futures.wait({ slow, quick }, nil, "FIRST_COMPLETED")
      return #done, done[1]:result(), #not_done
    end
    assert.same({ 1, "quick", 1 }, { ex:submit(first, ex, gate.path):result() })
  end)

  it("is replaced when the other runs and waits itself", function()
    local ex <close> = futures.ThreadPoolExecutor(2)
    local gate <close> = gates.new()
    local function inner(ex, path)
      gates.pass(path)
      return 1 + ex:submit("return 1"):result(600)
    end
    local a = ex:submit(inner, ex, gate.path)
    eventually(function() return a:running() end)
    local b = ex:submit(function(f) return 1 + f:result() end, a)
    eventually(function() return b:running() end)
    gate:open()
    assert.equal(3, b:result())
  end)

  it("is replaced when it waits for what another pool does, which submits back", function()
    local a <close> = futures.ThreadPoolExecutor(1)
    local b <close> = futures.ThreadPoolExecutor(1)
    local function pingpong(here, there, count)
      if count == 0 then return 0 end
      return 1 + there:submit(pingpong, there, here, count - 1):result()
    end
    assert.equal(60, a:submit(pingpong, a, b, 60):result())
  end)

  it("is replaced while it waits for a future that another task completes", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = ex:submit(function(pool)
      local promise = futures.Future()
      pool:submit(function() promise:set_result "from a task" end)
      return promise:result()
    end, ex)
    assert.equal("from a task", f:result())
  end)

  it("runs it inside of coroutines, comparators, closers and finalizers", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local function everywhere(ex)
      local results = {}
      local function run(name) results[#results + 1] = ex:submit("return ...", name):result() end
      coroutine.wrap(function()
        run "coroutine"
        coroutine.yield()
      end)()
      table.sort({ 1, 2 }, function(a, b)
        if #results == 1 then run "comparator" end
        return a < b
      end)
      do
        local _ <close> = setmetatable({}, { __close = function() run "closer" end })
      end
      setmetatable({}, { __gc = function() run "finalizer" end })
      collectgarbage()
      return table.concat(results, " ")
    end
    assert.equal("coroutine comparator closer finalizer", ex:submit(everywhere, ex):result())
  end)

  it("runs it while its own result is being sent", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = ex:submit(function(pool)
      local meta = { __reduce = function()
        local text = pool:submit("return ('x'):rep(1000)"):result()
        return function(s) return s end, text
      end }
      return ("y"):rep(1000), setmetatable({}, meta), ("z"):rep(1000)
    end, ex)
    local a, b, c = f:result()
    assert.same({ ("y"):rep(1000), ("x"):rep(1000), ("z"):rep(1000) }, { a, b, c })
  end)

  it("raises what that raised, with a traceback of that alone", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local function fail(depth)
      if depth == 0 then error { code = 7 } end
      return (fail(depth - 1)) + 1
    end
    local function outer(ex, depth)
      local f = ex:submit(fail, depth)
      local ok, err = pcall(f.result, f)
      return ok, err.code, f:traceback()
    end
    local function lines(depth)
      local ok, code, traceback = ex:submit(outer, ex, depth):result()
      assert.same({ false, 7 }, { ok, code })
      local direct = ex:submit(fail, depth)
      direct:exception()
      local as_on_its_own = direct:traceback():gsub("%d+ levels", "levels")
      assert.equal(as_on_its_own, (traceback:gsub("%d+ levels", "levels")))
      return select(2, traceback:gsub("\n", ""))
    end
    assert.equal(5, lines(2))
    assert.equal(22, lines(50)) -- the middle is left out
  end)

  it("may find it cancelled", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local ok, class = ex:submit(function(pool)
      local f = pool:submit "return 1"
      f:cancel()
      local ok, err = pcall(f.result, f)
      return ok, futures.isinstance(err, futures.CancelledError)
    end, ex):result()
    assert.same({ false, true }, { ok, class })
  end)

  it("is refused when far too many wait, and all goes on", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = ex:submit(deep, ex, waits["result with a timeout"], 200)
    local err = f:exception()
    assert.is_true(futures.isinstance(err, futures.RuntimeError), tostring(err))
    assert.equal("too many tasks of this executor wait for others", err.message)
    assert.equal(3, ex:submit(deep, ex, waits["as_completed"], 3):result())
  end)

  it("cannot wait for the end of the pool", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    for _, code in ipairs {
      "(...):shutdown()",
      "(...):shutdown { wait = true, cancel_futures = true }",
      "local pool <close> = ...",
    } do
      local err = ex:submit(code, ex):exception()
      assert.is_true(futures.isinstance(err, futures.RuntimeError), tostring(err))
      assert.equal("a task cannot wait for the end of its own executor", err.message)
    end
    assert.equal(1, ex:submit("(...):shutdown(false); return 1", ex):result())
    assert.has_error(function() ex:submit "return 1" end)
  end)
end)

describe("a pool whose tasks have waited", function()
  it("runs no more of them at a time than before", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local log <close> = logs.new()
    ex:submit(deep, ex, waits["as_completed"], 20):result() -- 20 workers more
    local function note(path, add)
      add(path, "begins")
      add(path, "ends")
    end
    local fs = {}
    for i = 1, limits.scaled(200) do fs[i] = ex:submit(note, log.path, logs.add) end
    futures.wait(fs)
    for i, line in ipairs(log:lines()) do
      assert.equal(i % 2 == 1 and "begins" or "ends", line)
    end
  end)

  it("ends like any other", function()
    local threads = require "support.threads"
    if not threads.known then return pending "needs a list of threads" end
    local before = threads.count()
    do
      local ex <close> = futures.ThreadPoolExecutor(2)
      ex:submit(deep, ex, waits["as_completed"], 20):result()
      assert.is_true(threads.count() > before + 10)
    end
    assert.equal(before, threads.count())
  end)

  it("finishes what waits after shutdown", function()
    local ex = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f = ex:submit(function(pool, path)
      local inner = pool:submit(function(path)
        gates.pass(path)
        return "inner"
      end, path)
      return inner:result(600)
    end, ex, gate.path)
    eventually(function() return tostring(ex):find "workers=2" end)
    ex:shutdown(false)
    gate:open()
    ex:shutdown()
    assert.equal("inner", f:result(0))
  end)
end)

describe("map in a task", function()
  local function square(x) return x * x end

  it("may use the task's own pool", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    assert.equal(5050, ex:submit(function(ex)
      local xs, sum = {}, 0
      for i = 1, 100 do xs[i] = i end
      for _, x in ex:map(function(x) return x end, xs) do sum = sum + x end
      return sum
    end, ex):result(limits.within(10)))
  end)

  it("may have calls that submit to their own pool and wait", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local xs = {}
    for i = 1, 20 do xs[i] = i end
    for i, value in ex:map(function(x)
      return futures.current().executor:submit(square, x):result()
    end, xs) do
      assert.equal(i * i, value)
    end
  end)

  it("may have a call that waits for a later one of the same chunk", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local told = futures.Future()
    local got = ex:options { chunksize = 4 }:map(function(i)
      if i == 1 then return told:result() end
      if i == 3 then told:set_result "three" end
      return i
    end, { 1, 2, 3, 4 }):collect()
    assert.same({ "three", 2, 3, 4, n = 4 }, got)
  end)
end)
