-- luacheck: ignore 431 432 (tasks call what they were sent by the same name)
local eventually = require "support.eventually"
local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"

for _, kind in ipairs(executors) do
  describe("futures.current in a task of a " .. kind.name, function()
    it("tells the number of its worker", function()
      local ex <close> = kind.make(1)
      for _ = 1, 3 do
        assert.equal(1, ex:submit(function() return futures.current().worker end):result())
      end
    end)

    it("says that nobody has asked the task to stop", function()
      local ex <close> = kind.make(1)
      assert.is_false(ex:submit(function()
        return futures.current().cancel_requested()
      end):result())
    end)

    it("may still be asked when its task has ended", function()
      local ex <close> = kind.make(1)
      ex:submit(function() kept = futures.current() end):result() -- luacheck: ignore
      assert.is_false(ex:submit(function()
        collectgarbage()
        return kept.cancel_requested() -- luacheck: ignore
      end):result())
    end)

    it("is there in each call of a map", function()
      local ex <close> = kind.make(2)
      for _, fine in ex:map(function()
        local current = futures.current()
        return current.worker >= 1 and not current.cancel_requested()
      end, { 1, 2, 3, 4, 5 }) do
        assert.is_true(fine)
      end
    end)

    it("is there in coroutines, and after an error", function()
      local ex <close> = kind.make(1)
      assert.equal(1, ex:submit(function()
        pcall(error)
        return coroutine.wrap(function() return futures.current().worker end)()
      end):result())
      pcall(ex.submit, ex, error)
      assert.equal(1, ex:submit(function() return futures.current().worker end):result())
    end)

    if not kind.serial then -- nobody could ask: the caller waits
      it("tells a task that was asked to stop, before and after", function()
        local ex <close> = kind.make(1)
        local log <close> = logs.new()
        local f = ex:submit(function(add, path)
          local current = futures.current()
          local _ <close> = setmetatable({}, { __close = function()
            add(path, tostring(current.cancel_requested()))
            add(path, tostring(futures.current().cancel_requested()))
          end })
          add(path, tostring(current.cancel_requested()))
          while true do end
        end, logs.add, log.path)
        eventually(function() return #log:lines() == 1 end)
        assert.is_true(f:cancel(true))
        futures.wait({ f }, limits.within(20))
        assert.is_true(f:cancelled())
        assert.same({ "false", "true", "true" }, log:lines())
        assert.is_false(ex:submit(function()
        return futures.current().cancel_requested()
      end):result())
      end)

      it("tells a task whose time is over", function()
        local ex <close> = kind.make(1)
        local log <close> = logs.new()
        local f = ex:options { timeout = limits.within(0.3) }:submit(function(add, path)
          local _ <close> = setmetatable({}, { __close = function()
            add(path, tostring(futures.current().cancel_requested()))
          end })
          while true do end
        end, logs.add, log.path)
        assert.is_true(futures.isinstance(f:exception(limits.within(20)), futures.TimeoutError))
        assert.same({ "true" }, log:lines())
      end)

      it("tells workers apart", function()
        local ex <close> = kind.make(2)
        local gate <close> = gates.new()
        local function number(pass, path)
          pass(path)
          return futures.current().worker
        end
        local f = ex:submit(number, gates.pass, gate.path)
        local g = ex:submit(number, gates.pass, gate.path)
        eventually(function() return f:running() and g:running() end)
        gate:open(2)
        local numbers = { f:result(), g:result() }
        table.sort(numbers)
        assert.same({ 1, 2 }, numbers)
      end)
    end
  end)
end

describe("futures.current in a worker process", function()
  it("has no executor: that is in the parent", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    assert.equal("nil", ex:submit(function() return type(futures.current().executor) end):result())
  end)

  it("is that of the inner task in tasks of a task's own executors", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local inner, back, outer = ex:submit(function()
      local pool <close> = futures.ThreadPoolExecutor(1)
      local f = pool:submit(function() return tostring(futures.current().executor) end)
      return f:result(), tostring(pool), type(futures.current().executor)
    end):result()
    assert.equal(back, inner)
    assert.equal("nil", outer)
  end)

  it("is nil in the initializer, which is no task", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 1, initializer = function()
      before = tostring(futures.current()) -- luacheck: ignore
    end }
    assert.equal("nil", ex:submit(function() return before end):result()) -- luacheck: ignore
  end)
end)

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
