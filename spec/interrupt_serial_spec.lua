local child = require "support.child"
local eventually = require "support.eventually"
local futures = require "futures"
local gates = require "support.gate"
local lfs = require "lfs"
local limits = require "support.limits"
local stopping = require "support.stopping"
local took = require "support.took"

local system = require "system"

-- Loops call os.time: ThreadSanitizer holds signals back till then.
local prelude = [[
  io.stdout:setvbuf "line"
  local futures = require "futures"
  local ex = futures.SerialExecutor()
  local function ready() print "ready" end
]]

describe("Ctrl-C in a task of a SerialExecutor", function()
  local gate

  before_each(function() gate = gates.new() end)
  after_each(function()
    child.end_all()
    gate:close()
  end)

  -- Start the code, which prints "ready" and goes on for ever; press Ctrl-C
  -- after so many seconds; return the next line it prints.
  local function interrupt(code, after)
    local script = child.start(prelude .. code, { GATE = gate.path })
    assert.equal("ready", script:line())
    if after then system.sleep(after) end -- how long it has run is the case
    local seconds, line = took(function()
      script:signal "INT"
      return script:line()
    end)
    assert.is_true(seconds < limits.within(0.2) + 0.05, seconds) -- 0.05: kill itself
    return line, script
  end

  -- What goes on for ever, as code.
  local tasks = {
    ["a loop"] = "ex:submit(function() ready() while true do os.time() end end)",
    ["a loop around pcall"] = [[ex:submit(function()
      ready()
      while true do pcall(function() while true do os.time() end end) end
    end)]],
    ["a loop around xpcall"] = [[ex:submit(function()
      ready()
      while true do xpcall(function() while true do os.time() end end, os.time) end
    end)]],
    ["a coroutine"] = [[ex:submit(function()
      ready()
      coroutine.wrap(function() while true do os.time() end end)()
    end)]],
    ["a map"] = [[
      for _ in ex:map(function() ready() while true do os.time() end end, { 1 }) do end]],
    ["a map, unordered"] = [[
      ex:options { ordered = false }:map(function()
        ready()
        while true do os.time() end
      end, { 1 }):collect()]],
    ["a submit in a coroutine"] = [[coroutine.wrap(function()
      ex:submit(function() ready() while true do os.time() end end)
    end)()]],
    ["a submit in a callback"] = [[
      local f = futures.Future()
      f:add_done_callback(function()
        ex:submit(function() ready() while true do os.time() end end)
      end)
      f:set_result()]],
    ["a task in a task"] = [[ex:submit(function()
      local inner = futures.SerialExecutor()
      while true do
        pcall(inner.submit, inner, function() ready() while true do os.time() end end)
      end
    end)]],
    ["a task of the same executor in a task"] = [[ex:submit(function()
      futures.current().executor:submit(function() ready() while true do os.time() end end)
    end)]],
    ["a task that reads"] = [[ex:submit(function()
      ready()
      io.open("GATE"):read(1)
      while true do os.time() end
    end)]],
    ["a task that waits"] = [[ex:submit(function()
      ready()
      futures.poll(1000)
    end)]],
    ["a task that waits for a pool"] = [[ex:submit(function(path)
      local pool <close> = futures.ThreadPoolExecutor(1)
      local f = pool:submit(function(path) io.open(path):read(1) end, path)
      ready()
      f:result()
    end, "GATE")]],
    ["its initializer"] = [[
      futures.SerialExecutor { initializer = function()
        ready()
        while true do os.time() end
      end }:submit(os.time)]],
  }

  for what, code in pairs(tasks) do
    it("ends a script that is in " .. what, function()
      local line, script = interrupt(code)
      assert.matches("interrupted!$", line)
      local output, how, status = script:finish()
      assert.matches("^stack traceback:\n", output)
      assert.same({ "exit", 1 }, { how, status })
    end)

    it(("can be caught in %s; the script goes on, and it comes once"):format(what), function()
      local line, script = interrupt("local function run() " .. code .. [[ end
        local ok, err = pcall(run)
        print(ok, err)
        local n = 0
        for i = 1, 1e5 do n = n + 1 end
        print(n, pcall(futures.wait, { futures.Future() }, 0.01))
        local more = futures.SerialExecutor()
        local function loop(x) for i = 1, 1e4 do end return x end
        for i = 1, 3 do n = n + more:submit(loop, i):result() end
        print(n, ex:submit(function() return "fine" end):result())
      ]], 0.1)
      assert.matches("^false\t.*interrupted!$", line)
      assert.matches("^100000\ttrue\t", script:line())
      assert.equal("100006\tfine", script:line())
      local _, how, status = script:finish()
      assert.same({ "exit", 0 }, { how, status })
    end)
  end

  it("tells the line of the submit", function()
    local line = interrupt [[
      -- line 5
      ex:submit(function() ready() while true do os.time() end end)
    ]]
    assert.matches(":6: interrupted!$", line)
  end)

  it("is seen however long the task has run", function()
    for _, after in ipairs { 0, 0.01, 0.05, 0.12, 0.4, 1.5 } do
      assert.matches("interrupted!$", (interrupt(tasks["a loop"], after)))
    end
  end)

  it("is seen in the last of many tasks", function()
    assert.matches("interrupted!$", (interrupt [[
      for i = 1, 2000 do ex:submit(function() for i = 1, 100 do end end) end
      ex:submit(function() ready() while true do os.time() end end)
    ]]))
  end)

  it("lets closing variables run", function()
    local line, script = interrupt [[
      ex:submit(function()
        local _ <close> = setmetatable({}, { __close = function() print "closed" end })
        ready()
        while true do os.time() end
      end)
    ]]
    assert.equal("closed", line)
    assert.matches("interrupted!$", script:line())
  end)

  it("makes <close> stop what other pools run", function()
    local line, script = interrupt [[
      local pool <close> = futures.ThreadPoolExecutor(1)
      pool:submit(function() while true do end end)
      local serial <close> = ex
      ex:submit(function() ready() while true do os.time() end end)
    ]]
    assert.matches("interrupted!$", line)
    local _, how, status = script:finish()
    assert.same({ "exit", 1 }, { how, status })
  end)

  it("pressed again, when it was caught before, ends the program", function()
    local line, script = interrupt [[
      pcall(ex.submit, ex, function() ready() while true do os.time() end end)
      print "caught"
      ex:submit(function() print "again" while true do os.time() end end)
    ]]
    assert.equal("caught", line)
    assert.equal("again", script:line())
    script:signal "INT"
    local _, how, number = script:finish()
    assert.same({ "signal", 2 }, { how, number })
  end)
end)

describe("a SerialExecutor", function()
  it("disturbs no task in the system while nobody presses Ctrl-C", function()
    local gate <close> = gates.new()
    local script = child.start(prelude .. [[
      local f = ex:submit(function(path)
        ready()
        local file = io.open(path)
        file:setvbuf "no"
        return file:read(1)
      end, "GATE")
      print(f:result())
    ]], { GATE = gate.path })
    assert.equal("ready", script:line())
    script:asleep()
    system.sleep(0.3) -- that it would have been disturbed is the case
    gate:open()
    assert.equal("x", script:line())
    script:finish()
  end)

  it("keeps no thread for long after its tasks", function()
    local script = child.start(prelude .. [[
      local t = os.clock()
      ex:submit(function(t) while os.clock() - t < 0.1 do end end, t)
      ready()
      io.read()
    ]])
    assert.equal("ready", script:line())
    local folder = ("/proc/%d/task"):format(script.pid)
    eventually(function()
      local threads = 0
      for _ in lfs.dir(folder) do threads = threads + 1 end
      return threads == 3 -- and two that are folders
    end)
  end)

  it("takes no hook of the user's for Ctrl-C", function()
    local output = child.run [[
      local futures = require "futures"
      local ex = futures.SerialExecutor()
      local function count() hooked = (hooked or 0) + 1 end
      debug.sethook(count, "crl", 1)
      local f = ex:submit(function()
        local t = os.clock()
        while os.clock() - t < 0.2 do end
        return "done"
      end)
      debug.sethook()
      print(f:result(), hooked > 0)
    ]]
    assert.equal("done\ttrue\n", output)
  end)
end)

describe("a task that runs a SerialExecutor's task", function()
  for _, kind in ipairs { "ThreadPoolExecutor", "ProcessPoolExecutor" } do
    it("can be stopped in a " .. kind, function()
      local ex <close> = futures[kind](1)
      local f = stopping.start_marked(ex, function(mark)
        local serial <close> = require "futures".SerialExecutor()
        serial:submit(function(path)
          io.open(path, "w"):close()
          while true do os.time() end
        end, mark)
      end)
      local limit = limits.within(0.7) -- after a second it would be given up
      stopping.stop(f, limit)
      assert.equal(7, ex:submit(function() return 7 end):result())
    end)

    it("has its time limit in a " .. kind, function()
      local ex <close> = futures[kind](1)
      ex:submit(os.time):result()
      local f = ex:options { timeout = 0.1 }:submit(function()
        local serial <close> = require "futures".SerialExecutor()
        while true do
          pcall(serial.submit, serial, function() while true do os.time() end end)
        end
      end)
      local seconds, err = took(f.exception, f, limits.within(20))
      assert.is_true(futures.isinstance(err, futures.TimeoutError), tostring(err))
      assert.is_true(seconds < limits.within(0.8), seconds)
    end)
  end
end)
