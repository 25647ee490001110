local futures = require "futures"
local child = require "support.child"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"
local took = require "support.took"

local function collect()
  for _ = 1, 3 do collectgarbage() end -- finalized objects go a cycle later
end

describe("collection", function()
  for _, executor in ipairs(executors.pools) do
    it("of a " .. executor.name .. " lets its tasks finish, and waits for nothing", function()
      local log <close> = logs.new()
      local gate <close> = gates.new()
      do
        local ex = executor.make(1)
        ex:submit(gates.pass, gate.path)
        for i = 1, 10 do ex:submit(logs.add, log.path, i) end
      end
      collect() -- would hang if it waited: the gate is shut
      assert.equal(0, #log:lines())
      gate:open()
      eventually(function() return #log:lines() == 10 end)
    end)

    it("of a " .. executor.name .. " leaves its futures as they are", function()
      local gate <close> = gates.new()
      local f
      do
        local ex = executor.make(1)
        f = ex:submit(gates.pass, gate.path, "value")
      end
      collect()
      assert.is_false(f:done())
      gate:open()
      assert.equal("value", f:result())
    end)
  end

  it("of an executor ends its workers", function()
    local threads = require "support.threads"
    if not threads.known or limits.portable then return pending "needs names of threads" end
    do
      local ex = futures.ThreadPoolExecutor { max_workers = 1, name = "short-lived" }
      ex:submit(function() end):result()
      assert.equal(1, threads.names()["short-lived-1"])
    end
    collect()
    eventually(function() return not threads.names()["short-lived-1"] end)
  end)

  it("of a future leaves its task and its callbacks as they are", function()
    local called = 0
    local ex <close> = futures.ThreadPoolExecutor(1)
    local gate <close> = gates.new()
    for _ = 1, 10 do
      ex:submit(gates.pass, gate.path):add_done_callback(function(f)
        assert(f:done())
        called = called + 1
      end)
    end
    collect()
    gate:open(10)
    ex:shutdown()
    assert.equal(10, called)
  end)

  -- Whatever fill puts into a weak table must have gone when release() says so.
  local function is_collected(fill, release)
    local weak = setmetatable({}, { __mode = "k" })
    local function keep(...)
      for i = 1, select("#", ...) do weak[select(i, ...)] = true end
    end
    fill(keep)
    collect()
    if release then
      assert.is_truthy(next(weak)) -- somebody still needs it
      release()
      collect()
    end
    assert.is_nil(next(weak))
  end

  it("takes finished futures and the executors that nobody has", function()
    is_collected(function(keep)
      local ex = futures.ThreadPoolExecutor(1)
      local f = ex:submit(function() return {} end)
      keep(ex, f, f:result())
    end)
  end)

  it("takes cycles of future, callback, field, result and executor", function()
    is_collected(function(keep)
      local ex = futures.ThreadPoolExecutor(1)
      local f = ex:submit(function() return {} end)
      f.executor, f.self = ex, f
      f:result().future = f
      f:add_done_callback(function() return f, ex end)
      keep(ex, f, f:result())
    end)
  end)

  it("takes such cycles of pending tasks as soon as their callbacks have run", function()
    local gate <close> = gates.new()
    local called
    is_collected(function(keep)
      local ex = futures.ThreadPoolExecutor(1)
      local f = ex:submit(gates.pass, gate.path)
      f:add_done_callback(function() called = { tostring(f), tostring(ex) } end)
      keep(ex, f)
    end, function()
      gate:open()
      while futures.poll(limits.within(10)) == 0 do assert(not called) end
    end)
    assert.matches("finished returned nil", called[1])
  end)

  it("takes futures that nobody will complete, with their callbacks", function()
    local called = {}
    is_collected(function(keep)
      for i = 1, 10 do
        local f = futures.Future()
        f:add_done_callback(function() called[i] = f:cancelled() end)
        keep(f)
      end
    end, futures.poll)
    assert.equal(10, #called)
    for i = 1, 10 do assert.is_true(called[i]) end
  end)

  it("takes iterators that were left", function()
    local gate <close> = gates.new()
    local ex <close> = futures.ThreadPoolExecutor(1)
    local f = ex:submit(gates.pass, gate.path)
    is_collected(function(keep)
      local own = futures.Future()
      keep(own, (futures.as_completed { own, f }))
    end)
    gate:open()
    f:result()
  end)

  it("of a callback's future inside another callback loses no callback", function()
    local called = false
    local f = futures.Future()
    f:add_done_callback(function()
      local inner = futures.Future()
      inner:add_done_callback(function() called = true end)
      inner:set_result()
      inner = nil -- luacheck: ignore
      collect()
    end)
    f:set_result()
    assert.is_true(called)
  end)

  it("in the midst of everything is harmless", function()
    local ex <close> = futures.ThreadPoolExecutor(2)
    collectgarbage("incremental", 1, 1000)
    local called = 0
    for i = 1, limits.scaled(3000) do
      local f = ex:submit(function(x) return { x } end, i)
      f:add_done_callback(function() called = called + 1 end)
      -- finalizers may use futures too
      setmetatable({}, { __gc = function()
        local g = futures.Future()
        g:add_done_callback(function() called = called + 1 end)
        g:set_result {}
      end })
      if i % 7 == 0 then assert(f:result()[1] == i) end
    end
    collectgarbage "generational"
    ex:shutdown()
    collectgarbage()
    futures.poll()
    assert.is_true(called >= limits.scaled(3000))
  end)
end)

describe("the end of a script", function()
  after_each(child.end_all)

  local ends = {
    ["by itself"] = "",
    ["by os.exit(true, true)"] = "os.exit(true, true)",
    ["by os.exit(0, true) in a function"] = ";(function() os.exit(0, true) end)()",
    ["by os.exit(0, true) in a coroutine"] = "coroutine.wrap(function() os.exit(0, true) end)()",
    ["by os.exit(0, true) in a callback"] = [[
      local last = futures.Future()
      last:add_done_callback(function() os.exit(0, true) end)
      last:set_result()
    ]],
  }
  for _, executor in ipairs(executors.pools) do
    local pool = " of a " .. executor.name
    for how, code in pairs(ends) do
      it(how .. " lets all tasks finish and their callbacks run" .. pool, function()
        local gate <close> = gates.new()
        local script = child.start([[
          local futures = require "futures"
          local ex = futures.CLASS(2)
          local function pass(path, value)
            local file = io.open(path)
            file:setvbuf "no"
            file:read(1)
            return value
          end
          for i = 1, 3 do
            local f = ex:submit(pass, "GATE", "value " .. i)
            f.number = i
            f:add_done_callback(function(f) print(f.number, f:result()) end)
          end
          io.stdout:setvbuf "line"
          print "end of script"
          CODE
        ]], { GATE = gate.path, CODE = code, CLASS = executor.name })
        assert.equal("end of script", script:line())
        gate:open(3)
        local output, reason, status = script:finish()
        local lines = {}
        for line in output:gmatch "[^\n]+" do lines[#lines + 1] = line end
        table.sort(lines)
        assert.same({ "1\tvalue 1", "2\tvalue 2", "3\tvalue 3" }, lines)
        assert.same({ "exit", 0 }, { reason, status })
      end)
    end
  end

  it("waits for pools that were collected or shut down before", function()
    local output = child.run [[
      local futures = require "futures"
      local function slow(name)
        for i = 1, 1e6 do end
        io.stderr:write(name .. "\n")
      end
      do
        futures.ThreadPoolExecutor(1):submit(slow, "collected")
        local ex = futures.ThreadPoolExecutor(1)
        ex:submit(slow, "shut down")
        ex:shutdown(false)
      end
      collectgarbage()
      collectgarbage()
    ]]
    assert.matches("collected\n", output)
    assert.matches("shut down\n", output)
  end)

  it("by os.exit(c) drops what is pending and waits for nothing", function()
    local gate <close> = gates.new()
    local output, reason, status
    local seconds = took(function()
      output, reason, status = child.run([[
        local futures = require "futures"
        local ex = futures.ThreadPoolExecutor(1)
        local function pass() io.open("GATE"):read(1) end
        local first, second = ex:submit(pass), ex:submit(pass)
        first:add_done_callback(print)
        second:add_done_callback(print)
        repeat until first:running()
        os.exit(3)
      ]], { GATE = gate.path })
    end)
    assert.same({ "", "exit", 3 }, { output, reason, status })
    assert.is_true(seconds < limits.within(5), seconds)
  end)

  it("lets callbacks use files that they hold", function()
    local log <close> = logs.new()
    child.run([[
      local futures = require "futures"
      local ex = futures.ThreadPoolExecutor(2)
      local file = io.open("LOG", "w")
      for i = 1, 100 do
        ex:submit(function(x) return x end, i):add_done_callback(function(f)
          file:write(f:result(), "\n")
        end)
      end
    ]], { LOG = log.path })
    local sum = 0
    for _, line in ipairs(log:lines()) do sum = sum + line end
    assert.equal(5050, sum)
  end)

  -- A task that takes until the file FLAG is there, which a script makes last.
  local hold = [[
    local futures = require "futures"
    local function hold()
      repeat local file <close> = io.open "FLAG" until file
    end
    local function let_go() io.open("FLAG", "w"):close() end
    local ex = futures.CLASS(1)
    local f = ex:submit(hold)
  ]]

  local function run_held(code, class)
    local flag = os.tmpname()
    os.remove(flag)
    local output, how, status = child.run(hold .. code .. " let_go()",
      { FLAG = flag, CLASS = class or "ThreadPoolExecutor" })
    os.remove(flag)
    return output, how, status
  end

  it("lets callbacks use other futures, made before or after", function()
    local output, how, status = run_held [[
      local before = ex:submit(function() return "before" end)
      local after
      f:add_done_callback(function()
        print(before:result(), after:result(), #futures.wait { before, after })
        local own = futures.Future()
        own:add_done_callback(function() print "and own ones" end)
        own:set_result()
        local left = futures.Future()
        left:add_done_callback(print)
        futures.as_completed { left, own }
      end)
      after = ex:submit(function() return "after" end)
    ]]
    assert.equal("before\tafter\t2\nand own ones\n", output)
    assert.same({ "exit", 0 }, { how, status })
  end)

  for _, executor in ipairs(executors.pools) do
    local name = executor.name
    it("lets no callback submit to a " .. name .. ", nor make one: as after shutdown", function()
      local output = run_held([[
        f:add_done_callback(function()
          print(select(2, pcall(ex.submit, ex, function() end)).message)
          print(select(2, pcall(futures.CLASS, 1)).message)
        end)
      ]], name)
      local message = "cannot schedule new futures after shutdown\n"
      assert.equal(message .. message, output)
    end)
  end

  it("by an error does so too, and the error is shown", function()
    local output, how, status = run_held [[
      f:add_done_callback(function() io.stderr:write "called\n" end)
      let_go()
      error "the script's own"
    ]]
    assert.matches("the script's own\n", output)
    assert.matches("called\n$", output)
    assert.same({ "exit", 1 }, { how, status })
  end)

  it("reports errors of callbacks as ever", function()
    local output, how, status = run_held [[
      f:add_done_callback(function() error "broken" end)
      f:add_done_callback(function() print "goes on" end)
    ]]
    assert.matches("exception calling callback for <Future [^\n]*: broken\n", output)
    assert.matches("goes on\n", output)
    assert.same({ "exit", 0 }, { how, status })
  end)

  it("is quiet about tasks that failed and futures that nobody completed", function()
    local output, reason, status = child.run [[
      local futures = require "futures"
      local ex = futures.ThreadPoolExecutor(1)
      ex:submit(function() error "nobody asks" end)
      local own, running = futures.Future(), futures.Future()
      own:add_done_callback(function() end)
      running:set_running_or_notify_cancel()
      running:add_done_callback(function() end)
      kept = { own, futures.as_completed { own, running } }
    ]]
    assert.same({ "", "exit", 0 }, { output, reason, status })
  end)

  it("amid collection, with callbacks still to come, is clean", function()
    for pause = 1, 200, 20 do
      local output, reason, status = child.run([[
        local futures = require "futures"
        local ex = futures.ThreadPoolExecutor(2)
        for i = 1, 50 do
          local f, own = ex:submit(function() return {} end), futures.Future()
          f:add_done_callback(function() own:set_result(f) end)
          own:add_done_callback(function() f:result() end)
          local lost = futures.Future()
          lost:add_done_callback(function() return lost end)
        end
        collectgarbage "stop"
        for i = 1, PAUSE do collectgarbage("step", 1) end
      ]], { PAUSE = pause })
      assert.same({ "", "exit", 0 }, { output, reason, status })
    end
  end)
end)

describe("a program's state", function()
  it("may open the module, use it and close many times", function()
    -- each worker of a pool is such a state: tasks may use pools of their own
    local ex <close> = futures.ThreadPoolExecutor(1)
    local function inner(n)
      local futures = require "futures" -- luacheck: ignore
      local pool <close> = futures.ThreadPoolExecutor(2)
      return pool:submit(function(x) return x + 1 end, n):result()
    end
    for i = 1, 20 do assert.equal(i + 1, ex:submit(inner, i):result()) end
  end)
end)
