-- luacheck: ignore 431 432 433 (tasks call what they were sent by the same name)
local eventually = require "support.eventually"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local stopping = require "support.stopping"
local took = require "support.took"


local waits = {
  ["result"] = function(f) f:result() end,
  ["result with a timeout"] = function(f) f:result(600) end,
  ["wait"] = function(f) futures.wait { f } end,
  ["as_completed"] = function(f) for _ in futures.as_completed { f } do end end,
  ["poll"] = function() while true do futures.poll(600) end end,
  ["result in a coroutine"] = function(f)
    coroutine.wrap(function() f:result() end)()
  end,
  ["result in a loop around pcall"] = function(f)
    while true do pcall(f.result, f) end
  end,
  ["result in a callback"] = function(f)
    local done = futures.Future()
    done:add_done_callback(function() f:result() end)
    done:set_result()
    while true do end
  end,
}

-- Submit a task that waits for another, which runs inside of it until go is
-- done; return both futures. after(): what it does then.
local function start(ex, go, after)
  local sent = futures.Future()
  local outer = ex:submit(function(ex, sent, go, after)
    local inner = ex:submit(function(go)
      while not go:done() do end
      return "inner"
    end, go)
    sent:set_result(inner)
    local value = inner:result()
    return after and after(value) or value
  end, ex, sent, go, after)
  local inner = sent:result()
  eventually(function() return inner:running() end)
  return outer, inner
end

describe("a task that waits", function()
  for name, wait in pairs(waits) do
    it("is stopped at once, in " .. name, function()
      local ex <close> = futures.ThreadPoolExecutor(1)
      local never = futures.Future()
      local began = futures.Future()
      local f = ex:submit(function(wait, never, began)
        began:set_result()
        wait(never)
      end, wait, never, began)
      began:result()
      stopping.stop(f)
      assert.equal(1, ex:submit("return 1"):result(limits.within(5)))
      assert.is_false(never:done())
    end)
  end

  it("ends at its time limit, and what it waited for goes on", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local sent = futures.Future()
    local limit = limits.within(0.3) -- long enough to come to the wait
    local f = ex:options { timeout = limit }:submit(function(ex, sent, path, pass)
      local inner = ex:submit(function(path, pass)
        pass(path)
        return "inner"
      end, path, pass)
      sent:set_result(inner)
      inner:result()
    end, ex, sent, gate.path, gates.pass)
    local seconds, err = took(f.exception, f, limits.within(5))
    assert.is_true(futures.isinstance(err, futures.TimeoutError))
    assert.is_true(seconds < limit + limits.within(0.5), seconds)
    gate:open()
    assert.equal("inner", sent:result(limits.within(5)):result(limits.within(5)))
  end)
end)

describe("a task inside of another", function()
  it("is stopped alone: the other one goes on", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local sent = futures.Future()
    local outer = ex:submit(function(ex, sent)
      local inner = ex:submit(function() while true do pcall(error) end end)
      sent:set_result(inner)
      local fine, err = pcall(inner.result, inner)
      local sum = 0
      for i = 1, 1e6 do sum = sum + i end -- a hook left behind would end this
      return fine, futures.isinstance(err, futures.CancelledError), sum,
        futures.current().cancel_requested()
    end, ex, sent)
    local inner = sent:result()
    eventually(function() return inner:running() end)
    stopping.stop(inner)
    assert.same({ false, true, 500000500000, false }, { outer:result(limits.within(5)) })
  end)

  it("leaves handlers of the other one alone when it is stopped", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local sent = futures.Future()
    local outer = ex:submit(function(ex, sent)
      return xpcall(function()
        local inner = ex:submit(function() while true do end end)
        sent:set_result(inner)
        return inner:result()
      end, function(err) return "handled: " .. tostring(err) end)
    end, ex, sent)
    local inner = sent:result()
    eventually(function() return inner:running() end)
    stopping.stop(inner)
    local fine, err = outer:result(limits.within(5))
    assert.is_false(fine)
    assert.matches("^handled: .*CancelledError", err)
  end)

  it("ends first when the other one is stopped", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local go = futures.Future()
    local outer, inner = start(ex, go, function() while true do end end)
    assert.is_true(outer:cancel(true))
    assert.is_true(outer:running())
    go:set_result()
    assert.equal("inner", inner:result(limits.within(5)))
    futures.wait({ outer }, limits.within(5))
    assert.is_true(outer:cancelled())
  end)

  it("goes on when the other one is given up, and then the worker retires", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local go = futures.Future()
    local outer, inner = start(ex, go, function() while true do end end)
    assert.is_true(outer:cancel(true))
    local seconds = took(futures.wait, { outer }, limits.within(5))
    assert.is_true(outer:cancelled())
    assert.is_true(seconds > 0.9 and seconds < limits.within(1.5), seconds)
    assert.equal("new", ex:submit("return 'new'"):result(limits.within(5)))
    assert.is_true(inner:running())
    go:set_result()
    assert.equal("inner", inner:result(limits.within(5)))
    eventually(function() return ex:stats().workers == 1 end)
    local stats = ex:stats()
    assert.equal(0, stats.running)
    assert.equal(1, stats.cancelled)
  end)

  it("goes on when one in the middle is given up, and so does the outermost", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local go, sent, middle = futures.Future(), futures.Future(), futures.Future()
    local outermost = ex:submit(function(ex, sent, middle, go)
      local f = ex:submit(function(ex, sent, go)
        local innermost = ex:submit(function(go)
          while not go:done() do end
          return "innermost"
        end, go)
        sent:set_result(innermost)
        innermost:result()
        while true do end
      end, ex, sent, go)
      middle:set_result(f)
      local fine = pcall(f.result, f)
      return fine, f:cancelled()
    end, ex, sent, middle, go)
    local innermost = sent:result()
    eventually(function() return innermost:running() end)
    assert.is_true(middle:result():cancel(true))
    futures.wait({ middle:result() }, limits.within(5))
    assert.is_true(middle:result():cancelled())
    go:set_result()
    assert.equal("innermost", innermost:result(limits.within(5)))
    assert.same({ false, true }, { outermost:result(limits.within(5)) })
  end)

  it("counts as run, and waits no more", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local stats = ex:submit(function(ex)
      local fs = {}
      for i = 1, 10 do fs[i] = ex:submit("return ...", i) end
      futures.wait(fs)
      return futures.current().executor:stats()
    end, ex):result()
    assert.equal(0, stats.pending)
    assert.equal(10, stats.completed)
    assert.equal(1, stats.running)
    ex:submit("return 1"):result()
    eventually(function() return ex:stats().completed == 12 end)
    assert.equal(0, ex:stats().pending)
  end)

  it("is none where each is to have a state of its own", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 1, max_tasks_per_child = 1 }
    assert.is_nil(ex:submit(function(ex)
      rawset(_G, "mark", true)
      return ex:submit(function() return rawget(_G, "mark") end):result()
    end, ex):result(limits.within(5)))
  end)
end)

describe("cancel_requested", function()
  it("is true while a task that is stopped cleans up", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local before, after = futures.Future(), futures.Future()
    local f = ex:submit(function(before, after)
      local current = futures.current()
      local _ <close> = setmetatable({}, { __close = function()
        after:set_result(current.cancel_requested())
      end })
      before:set_result(current.cancel_requested())
      while true do end
    end, before, after)
    assert.is_false(before:result(limits.within(5)))
    stopping.stop(f)
    assert.is_true(after:result(limits.within(5)))
  end)

  it("is true for a task inside of which another one still runs", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local sent, go = futures.Future(), futures.Future()
    local outer = ex:submit(function(ex, sent, go)
      requested = futures.current().cancel_requested -- luacheck: ignore
      local inner = ex:submit(function(go)
        while not go:done() do end
        return requested(), futures.current().cancel_requested() -- luacheck: ignore
      end, go)
      sent:set_result(inner)
      inner:result()
    end, ex, sent, go)
    local inner = sent:result()
    eventually(function() return inner:running() end)
    assert.is_true(outer:cancel(true))
    go:set_result()
    assert.same({ true, false }, { inner:result(limits.within(5)) })
    futures.wait({ outer }, limits.within(5))
    assert.is_true(outer:cancelled())
  end)
end)
