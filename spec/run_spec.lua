local futures = require "futures"
local child = require "support.child"
local gates = require "support.gate"
local limits = require "support.limits"
local took = require "support.took"

local ex, gate, seen

local function fresh()
  ex = futures.ThreadPoolExecutor(1)
  gate = gates.new()
  seen = {}
end

local function finish()
  gate:close()
  ex:shutdown { cancel_futures = true }
end

local function note(word) seen[#seen + 1] = word end

describe("futures.run", function()
  before_each(fresh)
  after_each(finish)

  it("passes arguments on and returns all that the function returns", function()
    assert.same({ n = 4, 1, nil, 3, nil }, table.pack(futures.run(function(...)
      assert(select("#", ...) == 4)
      return ...
    end, 1, nil, 3, nil)))
    assert.equal(0, select("#", futures.run(function() end)))
  end)

  it("goes on with other coroutines while one awaits", function()
    futures.run(function()
      local f = ex:submit(gates.pass, gate.path, "result")
      futures.spawn(function()
        note "second"
        gate:open()
      end)
      note "first"
      note(f:await())
    end)
    assert.same({ "first", "second", "result" }, seen)
  end)

  it("returns when all coroutines have ended, also those spawned by others", function()
    local function chain(n)
      note(n)
      ex:submit(function() end):await()
      if n > 1 then futures.spawn(chain, n - 1) end
    end
    assert.equal("main", futures.run(function()
      futures.spawn(chain, 5)
      return "main"
    end))
    assert.same({ 5, 4, 3, 2, 1 }, seen)
  end)

  it("starts coroutines in the order in which they were spawned", function()
    futures.run(function()
      for i = 1, 5 do futures.spawn(note, i) end
      note "main"
    end)
    assert.same({ "main", 1, 2, 3, 4, 5 }, seen)
  end)

  it("lets coroutines await each other through what spawn returns", function()
    local total = futures.run(function()
      local fs, sum = {}, 0
      for i = 1, 10 do
        fs[i] = futures.spawn(function(x)
          return ex:submit(function(y) return y * y end, x):await(), nil
        end, i)
        assert(futures.isinstance(fs[i], futures.Future) and not fs[i]:running())
      end
      for i = 1, 10 do
        local results = table.pack(fs[i]:await())
        assert(results.n == 2 and not fs[i]:cancel())
        sum = sum + results[1]
      end
      return sum
    end)
    assert.equal(385, total)
  end)

  it("lets coroutines wake each other through futures completed by hand", function()
    local ping, pong = futures.Future(), futures.Future()
    futures.run(function()
      futures.spawn(function()
        note(ping:await())
        pong:set_result "pong"
      end)
      ping:set_result "ping"
      note(pong:await())
    end)
    assert.same({ "ping", "pong" }, seen)
  end)

  it("accepts futures yielded by hand", function()
    local f = ex:submit(function() return 1 end)
    assert.is_true(futures.run(function()
      assert(select("#", coroutine.yield(f)) == 0)
      return f:done()
    end))
  end)

  it("does not start what was cancelled before its turn", function()
    futures.run(function()
      local f = futures.spawn(note, "never")
      assert(f:cancel())
      local ok, err = pcall(f.await, f)
      assert(not ok and futures.isinstance(err, futures.CancelledError))
    end)
    assert.same({}, seen)
  end)

  it("lets futures of spawn be completed earlier, by hand", function()
    assert.equal("early", futures.run(function()
      local f = futures.spawn(function()
        ex:submit(gates.pass, gate.path):await()
        return "late"
      end)
      futures.spawn(function()
        f:set_result "early"
        gate:open()
      end)
      return f:await()
    end))
  end)

  it("runs callbacks meanwhile", function()
    local f = ex:submit(gates.pass, gate.path)
    f:add_done_callback(function() note "called" end)
    futures.run(function()
      futures.spawn(function() gate:open() end)
      f:await()
      note "awaited"
    end)
    assert.same({ "called", "awaited" }, seen)
  end)

  it("can be used again and again, and in a task", function()
    for i = 1, 3 do assert.equal(i, futures.run(function() return i end)) end
    assert.equal(6, ex:submit(function()
      local inside = require "futures"
      return inside.run(function()
        local fs, sum = {}, 0
        for i = 1, 3 do fs[i] = inside.spawn(function() return i end) end
        for i = 1, 3 do sum = sum + fs[i]:await() end
        return sum
      end)
    end):result())
  end)

  it("can be called in a coroutine, which it blocks", function()
    local co = coroutine.wrap(function()
      return futures.run(function() return ex:submit(function() return "here" end):await() end)
    end)
    assert.equal("here", co())
  end)

  it("holds ten thousand coroutines, each turn at the same price", function()
    local count = limits.scaled(10000)
    local function turns(waiting)
      return took(futures.run, function()
        local stop, ended = futures.Future(), 0
        for _ = 1, waiting do
          futures.spawn(function()
            stop:await()
            ended = ended + 1
          end)
        end
        local pair = futures.spawn(function()
          for _ = 1, 5000 do
            local f = futures.Future()
            futures.spawn(f.set_result, f)
            f:await()
          end
        end)
        pair:await()
        stop:set_result()
        futures.spawn(function() assert(ended == waiting) end)
      end)
    end
    turns(10)
    assert.is_true(turns(count) < limits.within(10))
  end)
end)

describe("an error in futures.run", function()
  before_each(fresh)
  after_each(finish)

  it("of the function is raised, the same value", function()
    local err = setmetatable({}, { __tostring = function() return "mine" end })
    local _, raised = pcall(futures.run, function()
      ex:submit(function() end):await()
      error(err)
    end)
    assert.equal(err, raised)
    _, raised = pcall(futures.run, function() error "text" end)
    assert.matches("run_spec.lua:%d+: text$", raised)
    assert.same({ n = 2, false, nil }, table.pack(pcall(futures.run, function() error(nil) end)))
  end)

  it("of the function stops the other coroutines: their await raises CancelledError", function()
    local left, unborn
    local ok, err = pcall(futures.run, function()
      left = futures.spawn(function()
        local _ <close> = setmetatable({}, { __close = function(_, e) note(e) end })
        note "began"
        futures.Future():await()
        note "never"
      end)
      futures.spawn(function() end):await()
      unborn = futures.spawn(note, "never")
      error "the reason"
    end)
    assert.is_false(ok)
    assert.matches("the reason$", err)
    assert.equal("began", seen[1])
    assert.is_true(futures.isinstance(seen[2], futures.CancelledError))
    assert.equal(2, #seen)
    assert.is_true(left:cancelled() and unborn:cancelled())
  end)

  it("stops a coroutine also when that catches errors and awaits again", function()
    local left
    local _, err = pcall(futures.run, function()
      left = futures.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() note "closed" end })
        for _ = 1, 10 do
          local own = futures.Future()
          note(pcall(own.await, own))
        end
      end)
      futures.spawn(function() end):await()
      error("ends", 0)
    end)
    assert.equal("ends", err)
    assert.same({ false, "closed" }, seen)
    assert.is_true(left:cancelled())
  end)

  it("of a spawned coroutine is raised at the end if nobody asks for it", function()
    local ok, err = pcall(futures.run, function()
      futures.spawn(function() error("first", 0) end)
      futures.spawn(function() error("second", 0) end)
      futures.spawn(function()
        ex:submit(function() end):await()
        note "goes on"
      end)
      return "main"
    end)
    assert.same({ false, "first" }, { ok, err })
    assert.same({ "goes on" }, seen)
  end)

  it("of a spawned coroutine is not raised when somebody awaits it, sooner or later", function()
    assert.equal("fine", futures.run(function()
      local fs = {}
      for i = 1, 3 do fs[i] = futures.spawn(error, i) end
      ex:submit(function() end):await()
      local ok, err = pcall(fs[1].await, fs[1])
      assert(not ok and err == 1)
      assert(fs[2]:exception() == 2)
      assert(not pcall(fs[3].result, fs[3]))
      return "fine"
    end))
  end)

  it("of a spawned coroutine comes with a traceback and closes its variables", function()
    futures.run(function()
      local function deep()
        local _ <close> = setmetatable({}, { __close = function(_, e) note(e) end })
        error("fails", 0)
      end
      local f = futures.spawn(function() deep() end)
      pcall(f.await, f)
      assert.same({ "fails" }, seen)
      assert.matches("^stack traceback:\n.*run_spec.lua:%d+: in .*deep", f:traceback())
    end)
  end)

  it("is told by a warning if others are raised instead", function()
    local output = child.run [[
      warn "@on"
      local futures = require "futures"
      print(pcall(futures.run, function()
        futures.spawn(error, "first")
        futures.spawn(error, "second")
      end))
    ]]
    assert.matches("second", output)
    assert.matches("false\tfirst\n$", output)
  end)

  it("names what a coroutine has yielded instead of a future, and where", function()
    for _, case in ipairs {
      { "nil" }, { "number (42)", 42 }, { "string (word)", "word" }, { "table", {} },
      { "boolean", false }, { "function", print },
    } do
      local ok, err = pcall(futures.run, function()
        coroutine.yield(case[2])
        note "never"
      end)
      assert.is_false(ok)
      assert.matches("run_spec.lua:%d+: a coroutine of futures.run yielded no Future, but "
        .. case[1]:gsub("%p", "%%%0") .. "$", err)
    end
    assert.same({}, seen)
  end)

  it("is raised for misuse, at the line of the caller", function()
    local function message(fn, ...)
      local ok, err = pcall(fn, ...)
      assert.is_false(ok)
      return tostring(err)
    end
    assert.matches("run_spec.lua:%d+: bad argument #1 to 'run' %(function expected, got no value%)",
      message(function() futures.run() end))
    assert.matches("bad argument #1 to 'run' %(function expected, got string%)",
      message(function() futures.run "x" end))
    assert.matches("bad argument #1 to 'spawn' %(function expected, got table%)",
      message(function() futures.run(function() futures.spawn {} end) end))
    assert.matches("run_spec.lua:%d+: RuntimeError: futures.spawn outside of futures.run",
      message(function() futures.spawn(print) end))
    assert.matches("run_spec.lua:%d+: RuntimeError: futures.run inside futures.run",
      message(function() futures.run(function() futures.run(print) end) end))
    local inside
    local f = futures.Future()
    f:add_done_callback(function() inside = message(function() futures.run(print) end) end)
    f:set_result()
    assert.matches("run_spec.lua:%d+: RuntimeError: futures.run inside a callback", inside)
    assert.matches("futures.spawn outside", message(function() futures.spawn(print) end))
  end)
end)

describe("Ctrl-C in futures.run", function()
  before_each(fresh)
  after_each(function()
    child.end_all()
    finish()
  end)

  -- Press it when the script has printed "ready" and sleeps; return its lines.
  local function interrupt(code)
    local script = child.start([[
      io.stdout:setvbuf "line"
      local futures = require "futures"
      local function pass(path) io.open(path):read(1) end
      local function closing(word)
        return setmetatable({}, { __close = function(_, err) print(word, err) end })
      end
    ]] .. code, { GATE = gate.path })
    assert.equal("ready", script:line())
    script:asleep()
    local seconds, output, how, status = took(function()
      script:signal "INT"
      return script:finish()
    end)
    assert.is_true(seconds < limits.within(2), seconds)
    return output, how, status
  end

  it("ends it: every coroutine gets it, and nobody waits for running tasks", function()
    local output, how, status = interrupt [[
      futures.run(function()
        local ex <close> = futures.ThreadPoolExecutor(1)
        local main <close> = closing "main"
        futures.spawn(function()
          local other <close> = closing "other"
          print "ready"
          futures.Future():await()
        end)
        ex:submit(pass, "GATE"):await()
      end)
    ]]
    assert.matches("^main\t[^\n]*:15: interrupted!\nother\t[^\n]*interrupted!\n", output)
    assert.matches(":15: interrupted!\nstack traceback:", output)
    assert.same({ "exit", 1 }, { how, status })
  end)

  it("can be caught where the main function awaits; the run goes on", function()
    local output, how, status = interrupt [[
      print("returned", futures.run(function()
        local f = futures.Future()
        local other = futures.spawn(function() return f:await() end)
        futures.spawn(print, "ready")
        print(pcall(other.await, other))
        f:set_result "after all"
        return other:await()
      end))
    ]]
    assert.matches("^false\t[^\n]*interrupted!\nreturned\tafter all\n$", output)
    assert.same({ "exit", 0 }, { how, status })
  end)

  it("ends it when the main function has ended before", function()
    local output, _, status = interrupt [[
      print(pcall(futures.run, function()
        futures.spawn(function()
          local other <close> = closing "other"
          print "ready"
          futures.Future():await()
        end)
      end))
      print(pcall(futures.spawn, print))
      print(futures.run(function() return "again" end))
    ]]
    assert.matches("^other\t[^\n]*interrupted!\nfalse\t[^\n]*interrupted!\n"
      .. "false\t[^\n]*outside[^\n]*\nagain\n$", output)
    assert.equal(0, status)
  end)

  it("ends it out of a coroutine that blocks", function()
    local output, _, status = interrupt [[
      futures.run(function()
        local main <close> = closing "main"
        local f = futures.spawn(function()
          local other <close> = closing "other"
          print "ready"
          futures.Future():result()
        end)
        f:await()
      end)
    ]]
    assert.matches("^other\t[^\n]*interrupted!\nmain\t[^\n]*interrupted!\n", output)
    assert.equal(1, status)
  end)
end)
