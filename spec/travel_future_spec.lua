-- luacheck: ignore 431 432 (tasks call what they were sent by the same name)
local futures = require "futures"
local eventually = require "support.eventually"
local gates = require "support.gate"
local limits = require "support.limits"

local function collect()
  for _ = 1, 3 do collectgarbage() end
end

local function class_of(err)
  for _, name in ipairs { "CancelledError", "SerializationError", "RuntimeError" } do
    if futures.isinstance(err, futures[name]) then return name end
  end
  return type(err)
end

-- Run poll until called() is true; nothing wakes those who wait for collection.
local function poll_until(called)
  eventually(function()
    futures.poll()
    return called()
  end)
end

describe("an executor sent to a task", function()
  it("is the same object there and when it comes back", function()
    local a <close> = futures.ThreadPoolExecutor(1)
    local b <close> = futures.ThreadPoolExecutor(1)
    local same, kind, back, other = a:submit(function(a, b, list)
      local kind = futures.isinstance(a, futures.ThreadPoolExecutor)
      return list[1] == a and list[b] == "b", kind, a, b
    end, a, b, { a, [b] = "b" }):result()
    assert.is_true(same)
    assert.is_true(kind)
    assert.equal(a, back)
    assert.equal(b, other)
  end)

  it("is captured like any value", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    assert.equal(3, ex:submit(function() return ex:submit("return 3"):result() end):result())
  end)

  it("opens the module where nobody has", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    assert.equal("nil userdata table", ex:submit([[
      local before = type(package.loaded.futures)
      return before
    ]]):result() .. " " .. ex:submit([[
      return type(...) .. " " .. type(package.loaded.futures)
    ]], ex):result())
  end)

  it("takes tasks there, whose futures live on without those who made them", function()
    local a <close> = futures.ThreadPoolExecutor(1)
    local b <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f = a:submit(function(b, pass, path)
      return b:submit(pass, path, "value")
    end, b, gates.pass, gate.path):result()
    a:shutdown() -- the state in which it was made has gone
    assert.is_false(f:done())
    gate:open()
    assert.equal("value", f:result())
  end)

  it("is open as long as it is on its way, and while another pool's task has it", function()
    local a <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f = a:submit(function(ex, path, pass)
      pass(path)
      return ex:submit("return 'open'"):result()
    end, futures.ThreadPoolExecutor(1), gate.path, gates.pass)
    collect()
    gate:open()
    assert.equal("open", f:result())
  end)

  it("takes what its own tasks submit after it was collected", function()
    local gate <close> = gates.new()
    local f = futures.ThreadPoolExecutor(1):submit(function(path, pass)
      pass(path)
      local ex = futures.current().executor
      local g = ex:submit(function(ex) return ex:submit("return 'still open'"):result() end, ex)
      return g:result()
    end, gate.path, gates.pass)
    collect()
    gate:open()
    assert.equal("still open", f:result())
  end)

  it("is not kept open by its own workers", function()
    local threads = require "support.threads"
    if not threads.known or limits.portable then return pending "needs names of threads" end
    do
      local ex = futures.ThreadPoolExecutor { max_workers = 2, name = "kept" }
      local function keep(ex) kept = { ex, futures.current() } end -- luacheck: ignore
      futures.wait { ex:submit(keep, ex), ex:submit(keep, ex) }
      eventually(function() return threads.names()["kept-1"] == 1 end)
    end
    collect()
    eventually(function()
      return not (threads.names()["kept-1"] or threads.names()["kept-2"])
    end)
  end)

  it("ends with the state that keeps the last of it", function()
    local threads = require "support.threads"
    if not threads.known or limits.portable then return pending "needs names of threads" end
    local a <close> = futures.ThreadPoolExecutor(1)
    a:submit(function(ex)
      kept = ex -- luacheck: ignore
      return ex:submit("return 1"):result()
    end, futures.ThreadPoolExecutor { max_workers = 1, name = "guest" }):result()
    collect()
    assert.equal(1, threads.names()["guest-1"])
    local f = a:submit(function() return kept:submit("return 1"):result() end) -- luacheck: ignore
    assert.equal(1, f:result())
    a:submit(function()
      kept = nil -- luacheck: ignore
      collectgarbage()
    end):result()
    eventually(function() return not threads.names()["guest-1"] end)
  end)

  it("tells there that it was shut down", function()
    local a <close> = futures.ThreadPoolExecutor(1)
    local b <close> = futures.ThreadPoolExecutor(1)
    b:shutdown()
    local err = a:submit(function(b) b:submit "return 1" end, b):exception()
    assert.equal("RuntimeError", class_of(err))
    assert.equal("cannot schedule new futures after shutdown", err.message)
  end)

  it("may be shut down there", function()
    local a <close> = futures.ThreadPoolExecutor(1)
    local b <close> = futures.ThreadPoolExecutor(1)
    local f = b:submit("return 1")
    a:submit(function(b) b:shutdown() end, b):result()
    assert.equal(1, f:result(0))
    assert.has_error(function() b:submit "return 1" end)
  end)
end)

describe("a future sent to a task", function()
  it("is the same object there and when it comes back", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f, own = ex:submit("return 1"), futures.Future()
    f.url, own.url = "a", "b"
    local same, a, b, fields = ex:submit(function(f, own, keys)
      return keys[f] == "f" and keys[own] == "own", f, own, { f.url, own.url }
    end, f, own, { [f] = "f", [own] = "own" }):result()
    assert.is_true(same)
    assert.equal(f, a)
    assert.equal(own, b)
    assert.same({ "a", "b" }, { a.url, b.url })
    assert.same({}, fields) -- each state has its own fields
  end)

  it("gives its result there, the same value each time", function()
    local ex <close> = futures.ThreadPoolExecutor(2)
    local f = ex:submit("return { 1, 2 }, 3")
    local same, sum = ex:submit(function(f)
      local list, three = f:result()
      return list == f:result(), list[1] + list[2] + three
    end, f):result()
    assert.is_true(same)
    assert.equal(6, sum)
  end)

  it("raises there what its task raised", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = ex:submit(function() error { code = 7 } end)
    local code, traceback = ex:submit(function(f)
      local _, err = pcall(f.result, f)
      return err.code, f:traceback()
    end, f):result()
    assert.equal(7, code)
    assert.equal(f:traceback(), traceback)
  end)

  it("can be cancelled there", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local other <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    ex:submit(gates.pass, gate.path)
    local f = ex:submit(function() return ("x"):rep(10000) end)
    assert.is_true(other:submit(function(f) return f:cancel() and f:cancelled() end, f):result())
    assert.equal("CancelledError", class_of(select(2, pcall(f.result, f))))
  end)

  it("runs the callbacks added there at the safe points of that task", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local other <close> = futures.ThreadPoolExecutor(1)
    local f = ex:submit("return 5")
    assert.equal("callback 5", other:submit(function(f)
      local text
      f:add_done_callback(function(g) text = (g == f and "callback " or "other ") .. g:result() end)
      f:result()
      return text
    end, f):result())
  end)

  it("runs them at the end of a later task of that worker", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local other <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f, told = ex:submit(gates.pass, gate.path), futures.Future()
    other:submit(function() f:add_done_callback(function() told:set_result "told" end) end):result()
    gate:open()
    f:result()
    other:submit("return 1"):result()
    assert.equal("told", told:result())
  end)

  it("runs them when that state closes, if it has ended", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local f, told, never = ex:submit(gates.pass, gate.path), futures.Future(), futures.Future()
    local other = futures.ThreadPoolExecutor(1)
    other:submit(function()
      f:add_done_callback(function() told:set_result "told" end)
      never:add_done_callback(function() told:set_result "never" end)
    end):result()
    gate:open()
    f:result()
    other:shutdown()
    assert.equal("told", told:result())
  end)

  it("cannot go to where pointers mean nothing", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    for value, name in pairs { [ex] = "ThreadPoolExecutor", [futures.Future()] = "Future" } do
      local ok, err = pcall(futures.encode, { value })
      assert.is_false(ok)
      assert.equal("SerializationError", class_of(err))
      assert.equal(("cannot send value[1]: userdata (%s)"):format(name), err.message)
    end
  end)
end)

describe("a future that is completed by hand", function()
  local ex

  before_each(function() ex = futures.ThreadPoolExecutor(2) end)
  after_each(function() ex:shutdown() end)

  it("can be completed by a task", function()
    local f = futures.Future()
    ex:submit(function(f)
      assert(f:set_running_or_notify_cancel())
      f:set_result(1, { 2 }, nil)
    end, f)
    local values = table.pack(f:result())
    assert.same({ 1, { 2 }, n = 3 }, values)
    assert.equal(values[2], select(2, f:result()))
    assert.matches("state=finished returned number", tostring(f))
  end)

  it("can be failed by a task", function()
    local f, g = futures.Future(), futures.Future()
    ex:submit(function(f, g)
      f:set_exception { code = 7 }
      g:set_exception(futures.TimeoutError "too late")
    end, f, g)
    assert.equal(7, f:exception().code)
    assert.equal(f:exception(), f:exception())
    assert.is_nil(f:traceback())
    assert.is_true(futures.isinstance(g:exception(), futures.TimeoutError))
    assert.equal("too late", g:exception().message)
    assert.matches("state=finished raised TimeoutError", tostring(g))
  end)

  it("is completed for tasks that wait for it", function()
    local f, g = futures.Future(), futures.Future()
    local a = ex:submit(function(f) return f:result() end, f)
    local b = ex:submit(function(g) return g:exception() end, g)
    eventually(function() return a:running() and b:running() end)
    f:set_result("x", 2)
    g:set_exception "y"
    assert.same({ "x", 2 }, { a:result() })
    assert.equal("y", b:result())
  end)

  it("keeps the very values in the state that completed it", function()
    local f, value = futures.Future(), {}
    ex:submit(function() end, f):result()
    f:set_result(value)
    assert.equal(value, f:result())
  end)

  it("may have ended before it is sent", function()
    local f, g, h = futures.Future(), futures.Future(), futures.Future()
    f:set_result({ 1 }, "two")
    g:set_exception { code = 7 }
    h:cancel()
    assert.same({ 1, "two", 7, true }, { ex:submit(function(f, g, h)
      local list, two = f:result()
      return list[1], two, g:exception().code, h:cancelled()
    end, f, g, h):result() })
  end)

  it("is completed once, whoever tries", function()
    local rounds = limits.scaled(300)
    local function try(fs, name)
      local won = 0
      for _, f in ipairs(fs) do
        local ok, err = pcall(f.set_result, f, name)
        won = won + (ok and 1 or 0)
        assert(ok or futures.isinstance(err, futures.InvalidStateError), err)
      end
      return won
    end
    local fs = {}
    for i = 1, rounds do fs[i] = futures.Future() end
    local a, b = ex:submit(try, fs, "a"), ex:submit(try, fs, "b")
    local own = try(fs, "own")
    local count = { a = 0, b = 0, own = 0 }
    for _, f in ipairs(fs) do count[f:result()] = count[f:result()] + 1 end
    assert.same({ a = a:result(), b = b:result(), own = own }, count)
    assert.equal(rounds, count.a + count.b + count.own)
  end)

  it("is completed or cancelled, never both", function()
    local rounds = limits.scaled(300)
    local fs = {}
    for i = 1, rounds do fs[i] = futures.Future() end
    local setter = ex:submit(function(fs)
      local set = 0
      for _, f in ipairs(fs) do set = set + (pcall(f.set_result, f, 1) and 1 or 0) end
      return set
    end, fs)
    local cancelled = 0
    for _, f in ipairs(fs) do cancelled = cancelled + (f:cancel() and 1 or 0) end
    assert.equal(rounds, setter:result() + cancelled)
  end)

  it("stays as it is if its result cannot be sent", function()
    local f, g = futures.Future(), futures.Future()
    ex:submit(function() end, f):result() -- now it is shared
    local ok, err = pcall(f.set_result, f, 1, { coroutine.create(print) })
    assert.is_false(ok)
    assert.equal("SerializationError", class_of(err))
    assert.equal("cannot send result 2[1]: thread", err.message)
    assert.is_false(f:done())
    f:set_result "fine"
    assert.equal("fine", f:result())

    g:set_result(io.stdout, coroutine.create(print)) -- only this state knows it
    ok, err = pcall(ex.submit, ex, function() end, g)
    assert.is_false(ok)
    assert.equal("SerializationError", class_of(err))
    assert.equal("cannot send result 2: thread", err.message)
    assert.equal("thread", type(select(2, g:result())))
  end)

  it("cannot be sent as a part of its own result", function()
    local f, g = futures.Future(), futures.Future()
    f:set_result(f)
    g:set_exception { g }
    for _, future in ipairs { f, g } do
      local ok, err = pcall(ex.submit, ex, function() end, future)
      assert.is_false(ok)
      assert.equal("cannot send a future that is part of its own result", err.message)
    end
  end)

  it("runs its callbacks in the state that added them, when another completes it", function()
    local f, order = futures.Future(), {}
    f:add_done_callback(function(g) order[#order + 1] = g == f and g:result() end)
    local theirs = ex:submit(function(f)
      local seen
      f:add_done_callback(function(g) seen = "there: " .. g:result() end)
      f:set_result "value"
      return seen
    end, f)
    f:result()
    assert.same({ "value" }, order)
    assert.equal("there: value", theirs:result())
  end)

  -- Send a future with a callback to a task that keeps it, and forget it here.
  local function send_and_forget(told, keep)
    local f = futures.Future()
    f:add_done_callback(function(g) told[1] = g:cancelled() and "cancelled" or g:result() end)
    keep(f)
  end

  it("is not cancelled while a task can complete it", function()
    local told, gate <close> = {}, gates.new()
    local task
    send_and_forget(told, function(f)
      task = ex:submit(function(f, path, pass)
        pass(path)
        f:set_result "completed"
      end, f, gate.path, gates.pass)
    end)
    collect()
    futures.poll()
    assert.is_nil(told[1])
    gate:open()
    task:result()
    poll_until(function() return told[1] end)
    assert.equal("completed", told[1])
  end)

  it("becomes cancelled when the last task that could complete it has forgotten it", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local told = {}
    send_and_forget(told, function(f)
      ex:submit(function(f) kept = f end, f):result() -- luacheck: ignore
    end)
    collect()
    futures.poll()
    assert.is_nil(told[1])
    local function forget()
      kept = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
    end
    poll_until(function()
      ex:submit(forget):result()
      return told[1]
    end)
    assert.equal("cancelled", told[1])
  end)

  it("becomes cancelled when the state that keeps it closes", function()
    local told = {}
    send_and_forget(told, function(f)
      ex:submit(function(f) kept = f end, f):result() -- luacheck: ignore
    end)
    collect()
    futures.poll()
    assert.is_nil(told[1])
    ex:shutdown()
    poll_until(function() return told[1] end)
    assert.equal("cancelled", told[1])
  end)

  it("becomes cancelled when the message that held it is dropped", function()
    local told, gate <close> = {}, gates.new()
    for _ = 1, 2 do ex:submit(gates.pass, gate.path) end
    local task
    send_and_forget(told, function(f) task = ex:submit(function() end, f) end)
    collect()
    futures.poll()
    assert.is_nil(told[1])
    assert.is_true(task:cancel())
    poll_until(function() return told[1] end)
    assert.equal("cancelled", told[1])
  end)

  it("ends a wait in a task when it is cancelled elsewhere", function()
    local f = futures.Future()
    local waiting = ex:submit(function(f)
      local _, err = pcall(f.result, f)
      return futures.isinstance(err, futures.CancelledError)
    end, f)
    eventually(function() return waiting:running() end)
    f:cancel()
    assert.is_true(waiting:result())
  end)

  it("made by a task outlives it where it was returned", function()
    local f = ex:submit(function() return futures.Future() end):result()
    assert.is_false(f:done())
    f:set_result(1)
    assert.equal(1, f:result())
  end)

  it("has a future as its result, and a traceback with its error, wherever it is", function()
    local result, failure, raised = futures.Future(), futures.Future(), futures.Future()
    ex:submit(function(result, failure, raised)
      local futures = require "futures"
      result:set_result(futures.current().executor:submit("return 7"))
      failure:set_exception("of mine", "the traceback")
      raised:set_exception(futures.TimeoutError "too late", "another")
    end, result, failure, raised)
    assert.equal(7, result:result():result())
    assert.equal("of mine", failure:exception())
    assert.equal("the traceback", failure:traceback())
    assert.is_true(futures.isinstance(raised:exception(), futures.TimeoutError))
    assert.equal("too late", raised:exception().message)
    assert.equal("another", raised:traceback())
  end)

  it("cannot be part of its own result through others", function()
    local a, b, c = futures.Future(), futures.Future(), futures.Future()
    ex:submit(function() end, a, b, c):result() -- from now on others know them
    a:set_result { b }
    b:set_result(c, c)
    local ok, err = pcall(c.set_result, c, { a })
    assert.is_false(ok)
    assert.is_true(futures.isinstance(err, futures.SerializationError))
    assert.equal("cannot send a future that is part of its own result", err.message)
    c:set_result "an end" -- which can be set as if nothing had been
    assert.equal("an end", a:result()[1]:result():result())
  end)

  it("cannot be so where its value was set before it was sent", function()
    local a, b = futures.Future(), futures.Future()
    a:set_result(b)
    b:set_result(a)
    local ok, err = pcall(ex.submit, ex, function() end, a)
    assert.is_false(ok)
    assert.equal("cannot send a future that is part of its own result", err.message)
    assert.equal(a, b:result())
  end)

  it("cannot be so through the result of a task", function()
    local go, told = futures.Future(), futures.Future()
    local f = ex:submit(function(go) return go:result() end, go)
    local g = ex:submit(function(f) return f end, f)
    g:result()
    told:set_result(g)
    go:set_result(told)
    local err = f:exception()
    assert.is_true(futures.isinstance(err, futures.SerializationError))
    assert.equal("cannot send a future that is part of its own result", err.message)
    assert.equal(f, g:result())
  end)

  it("may hold others that hold the same, and long chains", function()
    local last = futures.Future()
    last:set_result "the end"
    for _ = 1, 300 do
      local f = futures.Future()
      f:set_result { last, last }
      last = ex:submit(function(f) return f end, f):result()
      last = ex:submit(function(f) return f, f end, last)
    end
    local length = 0
    while true do
      local value = last:result()
      if value == "the end" then break end
      last = type(value) == "table" and value[1] or value
      length = length + 1
    end
    assert.equal(600, length)
  end)

  it("is refused as such by exactly one of several that close a circle at a time", function()
    local ring <close> = futures.ThreadPoolExecutor(2)
    for _ = 1, limits.scaled(200) do
      local a, b, go = futures.Future(), futures.Future(), futures.Future()
      local function complete(mine, other, go)
        go:result()
        return (pcall(mine.set_result, mine, other))
      end
      local f, g = ring:submit(complete, a, b, go), ring:submit(complete, b, a, go)
      go:set_result()
      assert.not_equal(f:result(), g:result())
    end
  end)

  it("cannot be part of what its own task returns or raises", function()
    for _, fails in ipairs { false, true } do
      local own = futures.Future()
      local f = ex:submit(function(own, raises)
        local t = { own:result() }
        if raises then error(t) end
        return t
      end, own, fails)
      own:set_result(f)
      local err = f:exception()
      assert.is_true(futures.isinstance(err, futures.SerializationError))
      assert.equal("cannot send a future that is part of its own result", err.message)
    end
  end)
end)
