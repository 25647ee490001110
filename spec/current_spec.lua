local futures = require "futures"
local gates = require "support.gate"

describe("futures.current", function()
  it("is nil outside of tasks", function()
    assert.is_nil(futures.current())
  end)

  it("tells a task the number of its worker and its executor", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local worker, executor = ex:submit(function()
      local current = futures.current()
      return current.worker, current.executor
    end):result()
    assert.equal(1, worker)
    assert.equal(ex, executor)
  end)

  it("has the same executor that the task was sent", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    assert.is_true(ex:submit(function(ex)
      return ex == futures.current().executor and ex == futures.current().executor
    end, ex):result())
  end)

  it("can be used to submit", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    assert.equal(42, ex:submit(function()
      return futures.current().executor:submit("return 42"):result()
    end):result())
  end)

  it("says that nobody has asked the task to stop", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    assert.is_false(ex:submit(function() return futures.current().cancel_requested() end):result())
  end)

  it("is that of the inner task while one runs inside of another", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local same = ex:submit(function(ex)
      local outer = futures.current().cancel_requested
      outer_asked = outer -- luacheck: ignore
      ex:submit(function()
        inner_asked = futures.current().cancel_requested -- luacheck: ignore
      end):result()
      return outer_asked == outer, inner_asked ~= nil -- luacheck: ignore
    end, ex)
    same:result()
    local workers = { ex:submit(function(ex)
      local a = futures.current().worker
      local b = ex:submit(function() return futures.current().worker end):result()
      return a, b, futures.current().worker
    end, ex):result() }
    assert.same({ 1, 1, 1 }, workers)
  end)

  it("of a task that has ended may still be asked", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    ex:submit(function() kept = futures.current() end):result() -- luacheck: ignore
    assert.is_false(ex:submit(function()
      collectgarbage()
      return kept.cancel_requested() -- luacheck: ignore
    end):result())
  end)

  it("is nil in callbacks that run when the task has ended", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    local told = futures.Future()
    local other <close> = futures.ThreadPoolExecutor(1)
    local f = other:submit(gates.pass, gate.path)
    ex:submit(function()
      f:add_done_callback(function() told:set_result(tostring(futures.current())) end)
    end):result()
    gate:open()
    f:result()
    ex:submit("return 1"):result() -- its end is a safe point
    assert.equal("nil", told:result())
  end)
end)
