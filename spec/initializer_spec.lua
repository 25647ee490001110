local child = require "support.child"
local eventually = require "support.eventually"
local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"
local stopping = require "support.stopping"
local took = require "support.took"

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

describe("an initializer that never ends", function()
  after_each(child.end_all)

  -- A script whose pool has one; Ctrl-C leaves the block of the pool.
  local function interrupted(kind, body)
    local mark = os.tmpname()
    os.remove(mark)
    local script = child.start([[
      io.stdout:setvbuf "line"
      local futures = require "futures"
      local f
      print(pcall(function()
        local ex <close> = futures.KIND { max_workers = 1, initializer = function(path)
          local _ <close> = setmetatable({}, { __close = function() os.remove(path) end })
          io.open(path, "w"):close()
          while true do pcall(function() while true do os.time() end end) end
        end, initargs = { "MARK" } }
        BODY
        repeat local file = io.open "MARK" until file
        print "ready"
        f:result()
      end))
      futures.wait { f }
      print(f:cancelled())
      io.read()
    ]], { KIND = kind, MARK = mark, BODY = body })
    assert.equal("ready", script:line())
    local seconds, line = took(function()
      script:signal "INT"
      return script:line()
    end)
    assert.matches("^false\t.*interrupted!$", line)
    assert.is_true(seconds < limits.within(0.5), seconds)
    assert.equal("true", script:line())
    return script
  end

  it("is stopped in a thread when Ctrl-C leaves the block of the pool", function()
    local script = interrupted("ThreadPoolExecutor", "f = ex:submit(print)")
    eventually(function() -- the thread has ended
      local names = io.popen(("cat /proc/%d/task/*/comm"):format(script.pid))
      local text = names:read "a"
      names:close()
      return not text:find "futures%-1"
    end)
  end)

  it("is stopped in a worker process when Ctrl-C leaves the block of the pool", function()
    interrupted("ProcessPoolExecutor", "f = ex:submit(print)")
  end)

  it("is stopped before items of a map", function()
    interrupted("ThreadPoolExecutor", [[
      ex:map(print, { 1, 2, 3 })
      f = ex:submit(print)
    ]])
  end)

  for _, how in ipairs { "terminate_workers", "kill_workers" } do
    it("is ended by " .. how, function()
      local log <close> = logs.new()
      local ex = futures.ProcessPoolExecutor { max_workers = 2, initializer = function(add, path)
        add(path, "begun")
        while true do end
      end, initargs = { logs.add, log.path } }
      local fs = {}
      for i = 1, 5 do fs[i] = ex:submit(print) end
      eventually(function() return #log:lines() == 2 end)
      ex[how](ex)
      assert.equal(5, #futures.wait(fs, limits.within(20)))
      for _, f in ipairs(fs) do assert.is_true(f:cancelled()) end
      ex:shutdown()
      assert.equal(0, ex:stats().workers)
    end)
  end

  it("is stopped with the task for which a worker process has made its state anew", function()
    local log <close> = logs.new()
    local ex <close> = futures.ProcessPoolExecutor {
      max_workers = 1, memory_limit = 8 << 20, initializer = function(add, path)
        add(path, "begun")
        local count = 0
        for _ in io.lines(path) do count = count + 1 end
        while count == 2 do end
      end, initargs = { logs.add, log.path },
    }
    local function pid()
      local file = io.open "/proc/self/stat"
      return file and file:read "n"
    end
    local process = ex:submit(pid):result()
    assert.equal("not enough memory", ex:submit(string.rep, "x", 1 << 25):exception())
    local f = ex:submit(print)
    eventually(function() return #log:lines() == 2 end)
    stopping.stop(f, 20)
    assert.equal(process, ex:submit(pid):result(limits.within(20)))
    assert.equal(3, #log:lines())
  end)

  it("keeps nobody from cancelling what waits for it", function()
    local gate <close> = gates.new()
    local ex <close> = futures.ThreadPoolExecutor {
      max_workers = 1, initializer = gates.pass, initargs = { gate.path },
    }
    local f, g = ex:submit(print), ex:submit(function() return "fine" end)
    assert.is_true(f:cancel(true))
    assert.is_true(f:cancelled())
    gate:open()
    assert.equal("fine", g:result())
  end)
end)
