-- SerialExecutor: tasks run at submit, in this thread, with the same copies.
local futures = require "futures"

describe("a SerialExecutor", function()
  it("has run a task when submit returns", function()
    local ex <close> = futures.SerialExecutor()
    local f = ex:submit(function(a, b) return a + b, a * b end, 3, 4)
    assert.is_true(f:done())
    assert.are.same({ 7, 12 }, { f:result(0) })
    assert.are.equal("<SerialExecutor", tostring(ex):match "^<%a+")
  end)

  it("runs tasks in the thread that submits", function()
    local function thread()
      local file <close> = assert(io.open "/proc/thread-self/stat")
      return file:read "n"
    end
    local ex <close> = futures.SerialExecutor()
    local pool <close> = futures.ThreadPoolExecutor(1)
    assert.equal(thread(), ex:submit(thread):result())
    assert.not_equal(thread(), pool:submit(thread):result()) -- so it does tell threads apart
  end)

  it("cannot be waited for by a task of its own", function()
    local ex <close> = futures.SerialExecutor()
    local err = ex:submit(function() futures.current().executor:shutdown() end):exception()
    assert.is_true(futures.isinstance(err, futures.RuntimeError))
    assert.equal("a task cannot wait for the end of its own executor", err.message)
    assert.equal(1, ex:submit("return 1"):result())
  end)

  it("is an Executor of its own class", function()
    local ex <close> = futures.SerialExecutor {}
    assert.is_true(futures.isinstance(ex, futures.Executor))
    assert.is_true(futures.isinstance(ex, futures.SerialExecutor))
    assert.is_false(futures.isinstance(ex, futures.ThreadPoolExecutor))
  end)

  it("gives tasks copies, as a worker does", function()
    local ex <close> = futures.SerialExecutor()
    local list, count = { 1 }, 0
    local f = ex:submit(function(t)
      t[#t + 1] = "theirs"
      count = count + 1
      return #t, count
    end, list)
    assert.are.same({ 2, 1 }, { f:result() })
    assert.are.same({ { 1 }, 0 }, { list, count })
  end)

  it("runs tasks in a state of its own, one for all", function()
    local ex <close> = futures.SerialExecutor()
    rawset(_G, "SPEC_HERE", true)
    assert.is_nil(ex:submit("return _G['SPEC_' .. 'HERE']"):result())
    rawset(_G, "SPEC_HERE", nil)
    ex:submit("SPEC_THERE = 5"):result()
    assert.are.equal(5, ex:submit("return SPEC_THERE"):result())
    assert.is_nil(rawget(_G, "SPEC_THERE"))
  end)

  it("keeps the errors of tasks, with their traceback", function()
    local ex <close> = futures.SerialExecutor()
    local f = ex:submit(function() error { code = 7 } end)
    local _, err = pcall(f.result, f)
    assert.are.equal(7, err.code)
    assert.is_truthy(f:traceback():find("serial_spec.lua", 1, true))
    assert.has_error(function() ex:submit(print, coroutine.create(print)) end)
  end)

  it("finds modules where this state does", function()
    local ex <close> = futures.SerialExecutor()
    assert.are.equal("table", ex:submit("return type(require 'support.limits')"):result())
  end)

  it("calls callbacks at once, as its futures are done", function()
    local ex <close> = futures.SerialExecutor()
    local seen
    local f = ex:submit("return 1")
    f:add_done_callback(function(future) seen = future end)
    assert.are.equal(f, seen)
    assert.is_false(f:cancel())
  end)

  it("mixes with other executors in wait and as_completed", function()
    local serial <close> = futures.SerialExecutor()
    local pool <close> = futures.ThreadPoolExecutor(1)
    local fs = { pool:submit("return 1"), serial:submit("return 2") }
    local done = futures.wait(fs, 10)
    assert.are.equal(2, #done)
    local sum = 0
    for f in futures.as_completed(fs) do sum = sum + f:result() end
    assert.are.equal(3, sum)
  end)

  it("makes its state anew after max_tasks_per_child tasks", function()
    local ex <close> = futures.SerialExecutor { max_tasks_per_child = 2 }
    local seen = {}
    for i = 1, 5 do
      seen[i] = ex:submit("SPEC_COUNT = (SPEC_COUNT or 0) + 1; return SPEC_COUNT"):result()
    end
    assert.are.same({ 1, 2, 1, 2, 1 }, seen)
  end)

  it("runs the initializer in each new state", function()
    local ex <close> = futures.SerialExecutor {
      max_tasks_per_child = 1, initializer = function(x) SPEC_START = x end, -- luacheck: ignore
      initargs = { 7 },
    }
    for _ = 1, 2 do
      assert.are.equal(7, ex:submit("return _G['SPEC_' .. 'START']"):result())
    end
  end)

  it("is broken by an initializer that fails", function()
    local ex <close> = futures.SerialExecutor { initializer = function() error "not today" end }
    local f = ex:submit("return 1")
    assert.is_true(futures.isinstance(f:exception(), futures.BrokenExecutor))
    local submitted, err = pcall(ex.submit, ex, "return 1")
    assert.is_false(submitted)
    assert.is_truthy(err.message:find("not today", 1, true))
  end)

  it("limits the memory of its state", function()
    local ex <close> = futures.SerialExecutor { memory_limit = 2 << 20 }
    local f = ex:submit(function() return #("x"):rep(8 << 20) end)
    assert.are.equal("not enough memory", f:exception())
    assert.are.equal(1, ex:submit("return 1"):result())
    assert.are.equal(1, #ex:stats().memory)
  end)

  it("closes its state at shutdown, and takes no more tasks", function()
    local path = os.tmpname()
    local ex = futures.SerialExecutor()
    ex:submit(function(file)
      CLOSER = setmetatable({}, { __gc = function() os.remove(file) end }) -- luacheck: ignore
    end, path)
    assert.is_truthy(io.open(path))
    ex:shutdown()
    ex:shutdown(false)
    assert.is_nil(io.open(path))
    local submitted, err = pcall(ex.submit, ex, print)
    assert.is_false(submitted)
    assert.are.equal("cannot schedule new futures after shutdown", err.message)
  end)

  it("is shut down by the end of its block, and by being collected", function()
    local kept
    do
      local ex <close> = futures.SerialExecutor()
      kept = ex
    end
    assert.has_error(function() kept:submit(print) end)
    local f = futures.SerialExecutor():submit("return 4")
    collectgarbage()
    collectgarbage()
    assert.are.equal(4, f:result())
  end)

  it("takes the options of a pool, in whose place it may be", function()
    local opts = {
      max_workers = 4, name = "x", max_pending = 1, idle_timeout = 1, max_tasks_per_child = 2,
      memory_limit = 16 << 20, initializer = function(x) VALUE = x end, initargs = { 7 }, -- luacheck: ignore
    }
    for _, given in ipairs { opts, 4 } do
      local ex <close> = futures.SerialExecutor(given)
      local fs = {}
      for i = 1, 10 do
        fs[i] = ex:submit(function(x) return x, rawget(_G, "VALUE") end, i)
      end
      for i = 1, 10 do assert.same({ i, given ~= 4 and 7 or nil }, { fs[i]:result() }) end
      assert.equal(0, ex:stats().pending)
    end
  end)
end)
