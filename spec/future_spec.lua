local futures = require "futures"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"
local took = require "support.took"

local ex, gate

local function fresh(executor)
  ex = executor.make(1)
  gate = gates.new()
end

local function finish()
  gate:close()
  ex:shutdown { cancel_futures = true }
end

-- Raises an instance of the class whose message matches.
local function raises(class, message, ...)
  local ok, err = pcall(...)
  assert.is_false(ok)
  assert.is_true(futures.isinstance(err, class), tostring(err))
  assert.matches(message, err.message)
end

local function states(f) return { f:running(), f:done(), f:cancelled() } end

for _, executor in ipairs(executors.classes) do
  describe("a future of a " .. executor.name, function()
    before_each(function() fresh(executor) end)
    after_each(finish)

    it("tells in its string what it returned or raised", function()
      local function state(...)
        local f = ex:submit(...)
        f:exception()
        return tostring(f):match " state=(.*)>$"
      end
      assert.equal("finished returned nil", state "")
      assert.equal("finished returned nil", state "return nil, 1")
      assert.equal("finished returned string", state "return 'a', 1")
      assert.equal("finished returned table", state "return {}")
      assert.equal("finished returned function", state "return function() end")
      assert.equal("finished raised string", state "error 'no'")
      assert.equal("finished raised table", state "error {}")
      assert.equal("finished raised boolean", state "error(false)")
    end)

    it("keeps one address in its string for life", function()
      local f = ex:submit(function() end)
      local address = tostring(f):match "0x%x+"
      f:result()
      assert.equal(address, tostring(f):match "0x%x+")
    end)

    it("gives its results as often as asked", function()
      local f = ex:submit(function() return 1, "two", nil end)
      for _ = 1, 3 do assert.same({ n = 3, 1, "two", nil }, table.pack(f:result())) end
    end)

    it("gives the same table, function and long string each time", function()
      local f = ex:submit(function() return {}, function() end, ("x"):rep(100) end)
      local a, b, c = f:result()
      local d, e, g = f:result()
      assert.is_true(a == d and b == e and c == g)
    end)

    it("raises what the task raised, the same value each time", function()
      local f = ex:submit(function() error { code = 7 } end)
      local _, first = pcall(f.result, f)
      local _, second = pcall(f.result, f)
      assert.same({ code = 7 }, first)
      assert.is_true(first == second)
      assert.is_true(first == f:exception())
    end)

    it("has an exception only if the task raised one", function()
      assert.is_nil(ex:submit(function() return 1 end):exception())
      assert.equal("no", ex:submit(function() error("no", 0) end):exception())
      assert.equal(false, ex:submit(function() error(false) end):exception())
      assert.equal("<no error object>", ex:submit(function() error(nil) end):exception())
    end)

    it("has the traceback of the error, with the task's own file and lines", function()
      local function inner() error "deep" end
      local function outer() inner() return 1 end
      local f = ex:submit(outer)
      local line = debug.getinfo(inner, "S").linedefined
      assert.matches(("future_spec.lua:%d: deep$"):format(line), f:exception())
      local text = f:traceback()
      assert.matches(("^[^\n]*future_spec.lua:%d: deep\nstack traceback:\n"):format(line), text)
      assert.matches(("\n\t[^\n]*future_spec.lua:%d: in upvalue 'inner'"):format(line), text)
      assert.matches(("\n\t[^\n]*future_spec.lua:%d: in function <[^\n]*>$"):format(line + 1), text)
    end)

    it("takes fields of the user's, beside its methods", function()
      local f = ex:submit(function() return 1 end)
      assert.is_nil(f.url)
      f.url, f.n, f[1] = "http://", 7, false
      assert.equal("http://", f.url)
      assert.equal(7, f.n)
      assert.equal(false, f[1])
      assert.is_nil(f.other)
      assert.equal(1, f:result())
      f.url = nil
      assert.is_nil(f.url)
      local g = ex:submit(function() end)
      assert.is_nil(g.n)
    end)

    it("is the same userdata everywhere, so it can be a key", function()
      local f = ex:submit(function() end)
      local names = { [f] = "mine" }
      local seen
      f:add_done_callback(function(g) seen = g end)
      local done = futures.wait { f }
      assert.equal("mine", names[done[1]])
      assert.equal("mine", names[seen])
      for g in futures.as_completed { f } do assert.is_true(rawequal(f, g)) end
    end)

    if executor.serial then return end

    it("is pending, then running, then done", function()
      local keeper = ex:submit(gates.pass, gate.path)
      local f = ex:submit(gates.pass, gate.path, 1)
      assert.same({ false, false, false }, states(f))
      assert.matches("^<Future at 0x%x+ state=pending>$", tostring(f))
      eventually(function() return keeper:running() end)
      assert.same({ false, false, false }, states(f))
      gate:open()
      eventually(function() return f:running() end)
      assert.same({ true, false, false }, states(f))
      assert.matches("^<Future at 0x%x+ state=running>$", tostring(f))
      gate:open()
      eventually(function() return f:done() end)
      assert.same({ false, true, false }, states(f))
      assert.matches("^<Future at 0x%x+ state=finished returned number>$", tostring(f))
    end)

    it("has no traceback without an error", function()
      local f = ex:submit(gates.pass, gate.path)
      assert.is_nil(f:traceback())
      gate:open()
      f:result()
      assert.is_nil(f:traceback())
    end)
  end)
end

for _, executor in ipairs(executors.pools) do
  describe("a timeout, with a " .. executor.name .. ",", function()
    before_each(function() fresh(executor) end)
    after_each(finish)

    it("raises TimeoutError in result and exception, not early and not late", function()
      local f = ex:submit(gates.pass, gate.path, "later")
      for _, timeout in ipairs { 0.05, 0.25 } do
        for _, method in ipairs { "result", "exception" } do
          local seconds = took(function()
            raises(futures.TimeoutError, "not done", f[method], f, timeout)
          end)
          assert.is_true(seconds >= timeout and seconds < limits.within(2), seconds)
        end
      end
      gate:open()
      assert.equal("later", f:result())
    end)

    it("of 0 or less asks without waiting", function()
      local f = ex:submit(gates.pass, gate.path, "later")
      for _, timeout in ipairs { 0, -1, -math.huge, 0.0 } do
        raises(futures.TimeoutError, "", f.result, f, timeout)
      end
      gate:open()
      eventually(function() return f:done() end)
      for _, timeout in ipairs { 0, -1, -math.huge, 0.0 } do
        assert.equal("later", f:result(timeout))
      end
    end)

    it("of nil, infinity or centuries is none", function()
      for _, timeout in ipairs { math.huge, 1e300, math.maxinteger, 1e10 } do
        assert.equal(1, ex:submit(function() return 1 end):result(timeout))
      end
      assert.equal(1, ex:submit(function() return 1 end):result(nil))
    end)

    it("leaves the task running", function()
      local f = ex:submit(gates.pass, gate.path, "whole")
      eventually(function() return f:running() end)
      raises(futures.TimeoutError, "", f.result, f, 0.01)
      assert.is_true(f:running())
      gate:open()
      assert.equal("whole", f:result())
    end)

    it("raised by the task itself comes through as its own", function()
      local f = ex:submit(function()
        local futures = require "futures" -- luacheck: ignore
        error(futures.TimeoutError "from the task")
      end)
      raises(futures.TimeoutError, "^from the task$", f.result, f)
    end)
  end)
end

for _, executor in ipairs(executors.pools) do
  describe("cancel, with a " .. executor.name .. ",", function()
    before_each(function() fresh(executor) end)
    after_each(finish)

    it("keeps a pending task from ever running", function()
      local keeper = ex:submit(gates.pass, gate.path)
      local path = os.tmpname()
      local f = ex:submit(function(p) os.remove(p) end, path)
      assert.is_true(f:cancel())
      assert.same({ false, true, true }, states(f))
      assert.matches("state=cancelled>$", tostring(f))
      gate:open()
      keeper:result()
      ex:submit(function() end):result() -- whatever was before has had its turn
      assert.is_true(os.remove(path))
      assert.is_true(f:cancelled())
    end)

    it("makes result and exception raise CancelledError", function()
      ex:submit(gates.pass, gate.path)
      local f = ex:submit(function() end)
      f:cancel()
      raises(futures.CancelledError, "cancelled", f.result, f)
      raises(futures.CancelledError, "cancelled", f.exception, f)
      raises(futures.CancelledError, "cancelled", f.result, f, 0)
      assert.is_nil(f:traceback())
    end)

    it("is true again for a cancelled one", function()
      ex:submit(gates.pass, gate.path)
      local f = ex:submit(function() end)
      assert.is_true(f:cancel())
      assert.is_true(f:cancel())
    end)

    it("is false for a running one, which goes on", function()
      local f = ex:submit(gates.pass, gate.path, "whole")
      eventually(function() return f:running() end)
      assert.is_false(f:cancel())
      assert.is_true(f:running())
      gate:open()
      assert.equal("whole", f:result())
    end)

    it("is false for a finished one, whose outcome stays", function()
      local f = ex:submit(function() return 1 end)
      f:result()
      assert.is_false(f:cancel())
      assert.equal(1, f:result())
      local g = ex:submit(function() error "no" end)
      g:exception()
      assert.is_false(g:cancel())
      assert.is_false(g:cancelled())
    end)

    it("works for each of thousands that wait behind a busy worker", function()
      local keeper = ex:submit(gates.pass, gate.path)
      eventually(function() return keeper:running() end)
      local fs = {}
      for i = 1, limits.scaled(5000) do fs[i] = ex:submit(function() end) end
      for _, f in ipairs(fs) do assert.is_true(f:cancel()) end
      gate:open()
      ex:shutdown()
      for _, f in ipairs(fs) do assert.is_true(f:cancelled()) end
    end)

    it("and the start of a task exclude each other", function()
      local two <close> = executor.make(2)
      local fs = {}
      for i = 1, limits.scaled(5000) do
        fs[i] = two:submit(function() return true end)
        if i % 3 == 0 then
          local f = fs[i - i // 3 % 3]
          local cancelled = f:cancel()
          assert.equal(cancelled, f:cancelled())
        end
      end
      for _, f in ipairs(fs) do
        if f:cancelled() then raises(futures.CancelledError, "", f.result, f)
        else assert.is_true(f:result()) end
      end
    end)
  end)
end

describe("futures.Future()", function()
  it("is pending until somebody completes it", function()
    local f = futures.Future()
    assert.same({ false, false, false }, states(f))
    f:set_result(1, nil, "three", nil)
    assert.same({ false, true, false }, states(f))
    assert.same({ n = 4, 1, nil, "three", nil }, table.pack(f:result()))
    assert.is_nil(f:exception())
  end)

  it("keeps the very values, of any kind", function()
    local f, t, co = futures.Future(), {}, coroutine.create(print)
    f:set_result(t, co, print, io.stdout)
    local a, b, c, d = f:result()
    assert.is_true(a == t and b == co and c == print and d == io.stdout)
  end)

  it("raises the very error that it was given", function()
    for _, err in ipairs { "text", { code = 1 }, false, futures.Error "mine" } do
      local f = futures.Future()
      f:set_exception(err)
      local ok, got = pcall(f.result, f)
      assert.is_false(ok)
      assert.is_true(rawequal(err, got))
      assert.is_true(rawequal(err, f:exception()))
      assert.is_nil(f:traceback())
    end
  end)

  it("raises even a nil error", function()
    local f = futures.Future()
    f:set_exception(nil)
    local ok, err = pcall(f.result, f)
    assert.is_false(ok)
    assert.is_nil(err)
    assert.matches("state=finished raised nil>$", tostring(f))
  end)

  it("runs after set_running_or_notify_cancel", function()
    local f = futures.Future()
    assert.is_true(f:set_running_or_notify_cancel())
    assert.same({ true, false, false }, states(f))
    assert.is_false(f:cancel())
    f:set_result "done"
    assert.equal("done", f:result())
  end)

  it("can be cancelled before that, and says so to who wants to run it", function()
    local f = futures.Future()
    assert.is_true(f:cancel())
    assert.is_false(f:set_running_or_notify_cancel())
    assert.is_false(f:set_running_or_notify_cancel())
    raises(futures.InvalidStateError, "^CANCELLED: <Future at ", f.set_result, f, 1)
    raises(futures.InvalidStateError, "^CANCELLED: <Future at ", f.set_exception, f, 1)
    assert.is_true(f:cancelled())
  end)

  it("is completed once: later attempts raise InvalidStateError and change nothing", function()
    local f = futures.Future()
    f:set_result "first"
    local message = "^FINISHED: <Future at 0x%x+ state=finished returned string>$"
    raises(futures.InvalidStateError, message, f.set_result, f, "second")
    raises(futures.InvalidStateError, message, f.set_exception, f, "second")
    raises(futures.InvalidStateError, message, f.set_running_or_notify_cancel, f)
    assert.equal("first", f:result())
    local running = futures.Future()
    running:set_running_or_notify_cancel()
    raises(futures.InvalidStateError, "^RUNNING: ", running.set_running_or_notify_cancel, running)
  end)

  it("times out like any other", function()
    local f = futures.Future()
    local seconds = took(function()
      raises(futures.TimeoutError, "not done", f.result, f, 0.03)
    end)
    assert.is_true(seconds >= 0.03 and seconds < limits.within(2), seconds)
  end)

  it("belongs to who made it: one of an executor cannot be completed by hand", function()
    local pool <close> = futures.ThreadPoolExecutor(1)
    local own <close> = gates.new()
    local f = pool:submit(gates.pass, own.path, "own")
    raises(futures.InvalidStateError, "completed by its executor", f.set_result, f, 1)
    own:open()
    assert.equal("own", f:result())
    raises(futures.InvalidStateError, "^FINISHED: ", f.set_result, f, 1)
    raises(futures.InvalidStateError, "^FINISHED: ", f.set_exception, f, 1)
    raises(futures.InvalidStateError, "^FINISHED: ", f.set_running_or_notify_cancel, f)
  end)

  it("becomes cancelled when nobody can complete it any more", function()
    local states_seen = {}
    for _, start in ipairs { false, true } do
      local f = futures.Future()
      if start then f:set_running_or_notify_cancel() end
      f:add_done_callback(function(g) states_seen[#states_seen + 1] = tostring(g) end)
    end
    collectgarbage()
    collectgarbage()
    futures.poll()
    assert.equal(2, #states_seen)
    for _, state in ipairs(states_seen) do assert.matches("state=cancelled>$", state) end
  end)
end)
