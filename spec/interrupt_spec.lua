local child = require "support.child"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"
local took = require "support.took"

local system = require "system"

-- Scripts wait for `slow`, a task that takes as long as the spec likes.
local prelude = [[
  io.stdout:setvbuf "line"
  local futures = require "futures"
  local function pass(path)
    local file = io.open(path)
    file:setvbuf "no"
    file:read(1)
  end
  local ex <close> = futures.CLASS(1)
  local slow = ex:submit(pass, "GATE")
]]

describe("Ctrl-C", function()
  local gate

  before_each(function() gate = gates.new() end)
  after_each(function()
    child.end_all()
    gate:close()
  end)

  local function start(code, class)
    return child.start(prelude .. code, { GATE = gate.path, CLASS = class or "ThreadPoolExecutor" })
  end

  -- Start the code after the prelude, which prints "ready" and then blocks;
  -- press Ctrl-C after so many seconds; return the next line it prints.
  local function interrupt(code, after, class)
    local script = start(code, class)
    assert.equal("ready", script:line())
    script:asleep()
    if after then system.sleep(after) end -- how long a wait lasts is the case
    local seconds, line = took(function()
      script:signal "INT"
      return script:line()
    end)
    assert.is_true(seconds < limits.within(0.2) + 0.05, seconds) -- 0.05: kill itself
    return line, script
  end

  -- What blocks, as code.
  local waits = {
    result = "slow:result()",
    ["result with a timeout"] = "slow:result(1000)",
    exception = "slow:exception()",
    wait = "futures.wait { slow }",
    ["wait with a timeout"] = "futures.wait({ slow }, 1000)",
    ["wait for a future that nobody completes"] = "futures.wait { futures.Future() }",
    as_completed = "for _ in futures.as_completed { slow } do end",
    poll = "slow:add_done_callback(function() end) futures.poll(1000)",
    ["poll without a limit"] = "futures.poll(math.huge)",
    ["a step of map"] = "for _ in ex:map(math.abs, { 1 }) do end",
    ["a step of map, unordered"] = "ex:options{ordered=false}:map(math.abs, { 1 }):collect()",
    ["a step of map with a timeout"] = "ex:options{timeout=1000}:map(math.abs, { 1 })()",
    shutdown = "ex:shutdown()",
    ["<close>"] = "do local pool <close> = ex end",
    ["a coroutine"] = "coroutine.wrap(function() slow:result() end)()",
    ["a coroutine in a coroutine"] = [[
      coroutine.wrap(function() coroutine.wrap(function() futures.wait { slow } end)() end)()
    ]],
    ["a callback"] = [[
      local f = futures.Future()
      f:add_done_callback(function() slow:result() end)
      f:set_result()
    ]],
    ["a callback that calls wait, inside poll"] = [[
      local other <close> = futures.ThreadPoolExecutor(1)
      local f = other:submit(function() end)
      f:add_done_callback(function() futures.wait { slow } end)
      repeat until f:done() -- no safe point
      futures.poll(1000)
    ]],
    ["a callback in a coroutine"] = [[
      coroutine.wrap(function()
        local f = futures.Future()
        f:add_done_callback(function() slow:result() end)
        f:set_result()
      end)()
    ]],
  }

  for where, code in pairs(waits) do
    for _, executor in ipairs(executors.pools) do
      it(("ends a script that is blocked in %s, with a %s"):format(where, executor.name), function()
        local line, script = interrupt('print "ready"\n' .. code, nil, executor.name)
        assert.matches("interrupted!$", line)
        local output, how, status = script:finish()
        assert.matches("^stack traceback:\n", output)
        assert.same({ "exit", 1 }, { how, status })
      end)
    end

    it(("can be caught in %s; the script goes on, and it comes once"):format(where), function()
      local line, script = interrupt("local function blocked() " .. code .. [[ end
        print "ready"
        local ok, err = pcall(blocked)
        print(ok, err)
        local n = 0
        for i = 1, 1e5 do n = n + 1 end
        coroutine.wrap(function() for i = 1, 1e5 do n = n + 1 end end)()
        print(n, pcall(futures.wait, { futures.Future() }, 0.01))
        io.read()
      ]], 0.15) -- after 0.1 s a wait sleeps in another way
      assert.matches("^false\t.*interrupted!$", line)
      assert.matches("^200000\ttrue\t", script:line())
      gate:open()
      local _, how, status = script:finish()
      assert.same({ "exit", 0 }, { how, status })
    end)
  end

  it("tells the line that was waiting", function()
    local line = interrupt [[
      print "ready" -- line 10
      slow:result()
    ]]
    assert.matches(":11: interrupted!$", line)
  end)

  it("is seen however long the wait has lasted", function()
    for _, after in ipairs { 0, 0.05, 0.1, 0.15, 0.3, 0.6 } do
      assert.matches("interrupted!$", (interrupt('print "ready" slow:result()', after)))
    end
  end)

  it("is seen when it comes just before the wait", function()
    for _ = 1, 5 do
      local script = start [[
        print "ready"
        for i = 1, 1e4 do end
        slow:result()
      ]]
      assert.equal("ready", script:line())
      local seconds, line = took(function()
        script:signal "INT" -- while it computes, or waits already
        return script:line()
      end)
      assert.matches("interrupted!$", line)
      assert.is_true(seconds < limits.within(0.25), seconds)
      script:finish()
    end
  end)

  it("pressed while a coroutine computes is seen at its next wait", function()
    local script = start [[
      coroutine.wrap(function()
        print "ready"
        local file
        repeat file = io.open("GATE.go") until file -- the hook is on the main thread
        slow:result()
      end)()
    ]]
    assert.equal("ready", script:line())
    script:signal "INT"
    io.open(gate.path .. ".go", "w"):close()
    local seconds, line = took(script.line, script)
    os.remove(gate.path .. ".go")
    assert.matches("interrupted!$", line)
    assert.is_true(seconds < limits.within(0.2) + 0.05, seconds)
  end)

  it("breaks a callback that computes, too, and is not its error to report", function()
    local script = start [[
      futures.on_callback_error = function() print "reported" end
      local f = futures.Future()
      f:add_done_callback(function()
        print "ready"
        while true do os.time() end -- with calls: ThreadSanitizer holds signals back till then
      end)
      f:set_result()
    ]]
    assert.equal("ready", script:line())
    script:signal "INT"
    assert.matches("interrupted!$", script:line())
    script:finish()
  end)

  it("keeps the callbacks that were still to come: they run at the next safe point", function()
    local line, script = interrupt [[
      local f, called = futures.Future(), {}
      for _, name in ipairs { "a", "b", "c" } do
        f:add_done_callback(function()
          called[#called + 1] = name
          if name == "a" then print "ready" slow:result() end
        end)
      end
      pcall(f.set_result, f)
      f:add_done_callback(function() called[#called + 1] = "d" end)
      print(table.concat(called))
      os.exit(0)
    ]]
    assert.equal("abcd", line)
    script:finish()
  end)

  it("that was caught makes no later error look like one: <close> waits as ever", function()
    local line, script = interrupt [[
      print "ready"
      pcall(slow.result, slow)
      print "caught"
      local f
      print(pcall(function()
        local pool <close> = futures.ThreadPoolExecutor(1)
        f = pool:submit(pass, "GATE")
        repeat until f:running()
        print "running"
        error "another"
      end))
      print(f:done())
    ]]
    assert.equal("caught", line)
    assert.equal("running", script:line())
    gate:open(2)
    assert.matches("^false\t.*another$", script:line())
    assert.equal("true", script:line())
    script:finish()
  end)

  for _, executor in ipairs(executors.pools) do
    local name = executor.name
    it("leaves <close> of a " .. name .. " without waiting for the task that runs", function()
      local line, script = interrupt 'print "ready" slow:result()'
      assert.matches("interrupted!$", line)
      local seconds = took(script.finish, script) -- the gate is still shut
      assert.is_true(seconds < limits.within(1), seconds)
    end)
  end

  it("pressed again ends a script that waits for its tasks at its end", function()
    local script = child.start([[
      io.stdout:setvbuf "line"
      local futures = require "futures"
      local ex = futures.ThreadPoolExecutor(1)
      ex:submit(function(path) io.open(path):read(1) end, "GATE")
      print "ready"
      futures.poll(1000)
    ]], { GATE = gate.path })
    assert.equal("ready", script:line())
    script:asleep()
    script:signal "INT"
    assert.matches("interrupted!$", script:line())
    repeat local line = script:line() until line:find "in %?$" -- end of the traceback
    script:asleep() -- waits for the task
    local seconds, _, how, number = took(function()
      script:signal "INT"
      return script:finish()
    end)
    assert.same({ "signal", 2 }, { how, number })
    assert.is_true(seconds < limits.within(1), seconds)
  end)

  it("does not disturb the workers", function()
    local line, script = interrupt [[
      local f = ex:submit(function() return "whole" end)
      print "ready"
      pcall(slow.result, slow)
      print "caught"
      print(f:result())
    ]]
    assert.equal("caught", line)
    gate:open()
    assert.equal("whole", script:line())
    script:finish()
  end)
end)

describe("a hook of the user's", function()
  it("is no interrupt: a wait goes on, and the hook works", function()
    local output, how, status = child.run [[
      local futures = require "futures"
      local ex <close> = futures.ThreadPoolExecutor(2)
      local hooked = 0
      local quick = ex:submit(function() end)
      quick:add_done_callback(function()
        debug.sethook(function() hooked = hooked + 1 end, "l")
      end)
      local slow = ex:submit(function() for i = 1, 1e7 do end return "done" end)
      local done, not_done = futures.wait { quick, slow }
      print(#done, #not_done, slow:result())
      debug.sethook()
      print(hooked > 0)
    ]]
    assert.equal("2\t0\tdone\ntrue\n", output)
    assert.same({ "exit", 0 }, { how, status })
  end)
end)
