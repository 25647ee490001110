-- luacheck: ignore 431 432 (tasks call what they were sent by the same name)
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
    local function task_of(current) -- the future that its function holds
      return select(2, debug.getupvalue(current.cancel_requested, 2))
    end
    local outer, inner, again = ex:submit(function(ex)
      local f = ex:submit(function() return tostring(task_of(futures.current())) end)
      local outer, inner = task_of(futures.current()), f:result()
      return tostring(outer), inner, tostring(task_of(futures.current()))
    end, ex):result()
    assert.equal(outer, again)
    assert.not_equal(outer:match "0x%x+", inner:match "0x%x+")
    assert.matches("state=running", outer)
    assert.matches("state=running", inner)
  end)

  it("leads to a future that is refused as its own result", function()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local err = ex:submit(function()
      return select(2, debug.getupvalue(futures.current().cancel_requested, 2))
    end):exception()
    assert.is_true(futures.isinstance(err, futures.SerializationError))
    assert.matches("a future that is part of its own result", err.message)
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

  it("tells a task of a SerialExecutor the same", function()
    local ex <close> = futures.SerialExecutor()
    local worker, executor, requested, value = ex:submit(function()
      local current = futures.current()
      return current.worker, tostring(current.executor), current.cancel_requested(),
        current.executor:submit("return 42"):result()
    end):result()
    assert.equal(1, worker)
    assert.equal(tostring(ex):match "^<.-0x%x+", executor:match "^<.-0x%x+")
    assert.is_false(requested)
    assert.equal(42, value)
  end)

  it("tells each call of a map", function()
    local ex <close> = futures.ThreadPoolExecutor(2)
    for _, same in ex:map(function(ex)
      return futures.current().executor == ex and not futures.current().cancel_requested()
    end, { ex, ex, ex }) do
      assert.is_true(same)
    end
  end)
end)
