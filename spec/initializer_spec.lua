local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"
local stopping = require "support.stopping"

for _, executor in ipairs(executors.classes) do
  describe("an initializer of a " .. executor.name, function()
    it("runs once in every new state, with its arguments, before the first task", function()
      local ex <close> = executor.one {
        max_tasks_per_child = 2,
        initializer = function(a, b, c)
          STATE = (rawget(_G, "STATE") or "") .. a .. tostring(b) .. c.x -- luacheck: ignore
        end,
        initargs = { "a", nil, { x = "c" } },
      }
      local function state() return rawget(_G, "STATE") end
      for _ = 1, 5 do assert.equal("anilc", ex:submit(state):result()) end
    end)

    it("needs no arguments", function()
      local ex <close> = executor.one {
        initializer = function(...) COUNT = select("#", ...) end, -- luacheck: ignore
      }
      assert.equal(0, ex:submit(function() return rawget(_G, "COUNT") end):result())
    end)

    it("travels when the pool is made: later changes do not reach it", function()
      local value = { 1 }
      local ex <close> = executor.one {
        initializer = function(t) VALUE = t[1] end, initargs = { value }, -- luacheck: ignore
      }
      value[1] = 2
      assert.equal(1, ex:submit(function() return rawget(_G, "VALUE") end):result())
    end)

    it("that cannot travel is refused at once", function()
      local co = coroutine.create(print)
      local ok, err = pcall(executor.one, { initializer = function() return co end })
      assert.is_false(ok)
      assert.is_true(futures.isinstance(err, futures.SerializationError))
      ok, err = pcall(executor.one, { initializer = print, initargs = { 1, co } })
      assert.is_false(ok)
      assert.matches("cannot send argument 2: thread", err.message)
    end)

    it("that raises breaks it: its task fails with the reason, submit raises ever after", function()
      local ex <close> = executor.one { initializer = function() error "no luck" end }
      local err = ex:submit(print):exception()
      assert.is_true(futures.isinstance(err, futures.BrokenExecutor))
      assert.matches("^the initializer of a worker failed: .*no luck$", err.message)
      for _ = 1, 3 do
        local ok, refusal = pcall(ex.submit, ex, print)
        assert.is_false(ok)
        assert.is_true(futures.isinstance(refusal, futures.BrokenExecutor))
        assert.matches("no luck", refusal.message)
      end
    end)

    if executor.serial then return end

    it("that raises breaks the pool: what waits fails, submit raises ever after", function()
      local gate <close> = gates.new()
      local ex <close> = executor.one {
        initializer = function(path)
          local file = io.open(path)
          file:setvbuf "no"
          file:read(1)
          error "no luck"
        end,
        initargs = { gate.path },
      }
      local fs = {}
      for i = 1, 100 do fs[i] = ex:submit(print) end
      assert.is_true(fs[2]:cancel())
      gate:open()
      for i = 1, 100 do
        if i ~= 2 then
          local err = fs[i]:exception()
          assert.is_true(futures.isinstance(err, futures[executor.broken]))
          assert.matches("^the initializer of a worker failed: .*no luck$", err.message)
        end
      end
      assert.is_true(fs[2]:cancelled())
      for _ = 1, 3 do
        local ok, err = pcall(ex.submit, ex, print)
        assert.is_false(ok)
        assert.is_true(futures.isinstance(err, futures[executor.broken]))
        assert.matches("no luck", err.message)
      end
      ex:shutdown()
      assert.equal(0, ex:stats().workers)
      assert.equal(99, ex:stats().failed)
      assert.equal(1, ex:stats().cancelled)
    end)
  end)
end

describe("an initializer in a thread", function()
  it("that raises in a later worker leaves the tasks that run", function()
    local gate <close> = gates.new()
    local mark = os.tmpname()
    local ex <close> = futures.ThreadPoolExecutor {
      max_workers = 2,
      initializer = function(path) if not os.remove(path) then error { "no luck" } end end,
      initargs = { mark },
    }
    local f = stopping.start(ex, gates.pass, gate.path, "result")
    local g = ex:submit(print)
    assert.matches("no luck", g:exception().message)
    gate:open()
    assert.equal("result", f:result())
  end)

  it("may not end the process, either", function()
    local ex <close> = futures.ThreadPoolExecutor { initializer = function() os.exit(1) end }
    assert.matches("os.exit%(1%) in a worker thread", ex:submit(print):exception().message)
  end)
end)
