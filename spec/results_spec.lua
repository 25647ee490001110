-- What map returns: errors at their place, time limits, ends of all kinds.
local eventually = require "support.eventually"
local executors = require "support.executors"
local futures = require "futures"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"
local took = require "support.took"

local function numbers(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

--- A call that waits at the gate if its item is 1, and logs its item.
local function pass_and_log(gate, log)
  local gate_path, log_path = gate.path, log.path
  return function(x)
    local support = require "support.log"
    if x == 1 then require "support.gate".pass(gate_path) end
    support.add(log_path, x)
    return x
  end
end

local function log_all(log)
  local path = log.path
  return function(x)
    require "support.log".add(path, x)
    return x
  end
end

for _, executor in ipairs(executors) do
  describe("the results of map on a " .. executor.name, function()
    it("raise an error when its turn comes, the same value, and go on", function()
      local ex <close> = executor.make()
      local results = ex:map(function(x)
        if x % 2 == 0 then error(setmetatable({ code = x }, { __name = "Odd" })) end
        return x
      end, { 1, 2, 3, 4, 5 })
      assert.are.same({ 1, 1 }, { results() })
      local read, err = pcall(results)
      assert.is_false(read)
      assert.are.equal(2, err.code)
      assert.are.equal("Odd", getmetatable(err).__name)
      assert.are.same({ 3, 3 }, { results() })
      read, err = pcall(results)
      assert.are.same({ false, 4 }, { read, err.code })
      assert.are.same({ 5, 5 }, { results() })
      assert.is_nil(results())
      assert.is_nil(results())
    end)

    it("raise strings with their place, and classes as they were", function()
      local ex <close> = executor.make()
      local results = ex:map(function(x)
        if x == 1 then error "a string" end
        if x == 2 then error() end
        error(require "futures".TimeoutError "mine")
      end, { 1, 2, 3 })
      local _, err = pcall(results)
      assert.is_truthy(err:match "results_spec.lua:%d+: a string$")
      _, err = pcall(results)
      assert.are.equal("<no error object>", err)
      _, err = pcall(results)
      assert.is_true(futures.isinstance(err, futures.TimeoutError))
      assert.are.equal("mine", err.message)
      assert.is_nil(results()) -- the error of a call is no time-out
    end)

    it("fail alone, and lose or repeat no neighbour", function()
      local ex <close> = executor.make()
      local log <close> = logs.new()
      local path = log.path
      local good, bad = 0, 0
      local results = ex:map(function(x)
        require "support.log".add(path, x)
        if x % 7 == 0 then error { x } end
        return x
      end, numbers(100))
      for i = 1, 100 do
        local read, index, value = pcall(results)
        if read then
          assert.are.same({ i, i }, { index, value })
          good = good + 1
        else
          assert.are.same({ i }, index)
          bad = bad + 1
        end
      end
      assert.are.same({ 86, 14 }, { good, bad })
      local lines = log:lines()
      table.sort(lines, function(a, b) return tonumber(a) < tonumber(b) end)
      assert.are.equal(100, #lines)
      for i = 1, 100 do assert.are.equal(tostring(i), lines[i]) end
    end)

    it("raise SerializationError for what a call cannot return", function()
      local ex <close> = executor.make()
      local results = ex:map(function(x)
        return x == 2 and coroutine.create(print) or x
      end, { 1, 2, 3 })
      results()
      local _, err = pcall(results)
      assert.is_true(futures.isinstance(err, futures.SerializationError))
      assert.are.same({ 3, 3 }, { results() })
    end)

    it("explain a global that did not come along", function()
      local ex <close> = executor.make()
      rawset(_G, "SPEC_FILE", io.tmpfile())
      local results = ex:map(function() return SPEC_FILE.x end, { 1 }) -- luacheck: ignore
      local _, err = pcall(results)
      rawset(_G, "SPEC_FILE", nil)
      assert.is_truthy(err:find("the submitting state has a global 'SPEC_FILE'", 1, true))
    end)

    it("collect into an array with field n", function()
      local ex <close> = executor.make()
      local results = ex:map(function(x) if x ~= 2 then return x, "more" end end, { 1, 2, 3 })
      assert.are.same({ 1, nil, 3, n = 3 }, results:collect())
      assert.are.same({ n = 0 }, ex:map(print, {}):collect())
    end)

    it("collect by the number of the item when not ordered", function()
      local ex <close> = executor.make()
      local results = ex:options { ordered = false }:map(function(x) return x end, numbers(50))
      local list = results:collect()
      for i = 1, 50 do assert.are.equal(i, list[i]) end
    end)

    it("raise from collect what a call raised", function()
      local ex <close> = executor.make()
      local results = ex:map(function(x) if x == 2 then error "bad" end end, { 1, 2, 3 })
      assert.has_error(function() results:collect() end)
    end)

    it("yield nothing any more once they are closed", function()
      local ex <close> = executor.make()
      local results = ex:map(function(x) return x end, { 1, 2, 3 })
      assert.are.equal(1, (results()))
      results:close()
      results:close()
      assert.is_nil(results())
      assert.are.same({ n = 1 }, results:collect()) -- one was read before
    end)

    it("are closed by <close>", function()
      local ex <close> = executor.make()
      local kept
      do
        local results <close> = ex:map(function(x) return x end, { 1, 2, 3 })
        kept = results
        assert.are.equal(1, (results()))
      end
      assert.is_nil(kept())
    end)

    it("raise what an iterator raises, and have ended", function()
      local ex <close> = executor.make()
      local n = 0
      local function failing()
        n = n + 1
        if n == 3 then error("no more", 0) end
        return n
      end
      local view = ex:options { buffersize = 1 }
      local results = view:map(function(x) return x end, failing)
      assert.are.equal(1, (results()))
      local read, err = pcall(results)
      assert.are.same({ false, "no more" }, { read, err })
      assert.is_nil(results())
      n = 2
      read, err = pcall(ex.map, ex, function(x) return x end, failing)
      assert.are.same({ false, "no more" }, { read, err })
    end)

    it("cannot be read by an iterator that feeds them", function()
      local ex <close> = executor.make()
      local results
      local function feed()
        if results then return (results()) end
        return 1
      end
      results = ex:options { buffersize = 1 }:map(function(x) return x end, feed)
      local _, err = pcall(results)
      assert.is_truthy(tostring(err):find "an iterator given to map cannot read the results")
      assert.is_nil(results())
    end)

    it("let callbacks run in a step", function()
      local ex <close> = executor.make()
      local called = false
      local f = ex:submit(function() end)
      eventually(function() return f:done() end)
      f = futures.Future()
      f:add_done_callback(function() called = true end)
      local results = ex:map(function(x) return x end, { 1, 2 })
      f:set_result()
      results()
      assert.is_true(called)
    end)

    it("cancel nothing if they were never asked", function()
      local ex = executor.make(1)
      local log <close> = logs.new()
      local results = ex:map(log_all(log), numbers(60))
      results:close()
      ex:map(log_all(log), numbers(60))
      collectgarbage()
      collectgarbage()
      ex:shutdown()
      assert.are.equal(120, #log:lines())
    end)

    it("are not kept from being collected by their executor", function()
      local ex <close> = executor.make()
      local weak = setmetatable({ ex:map(function(x) return { x } end, numbers(10)) },
        { __mode = "v" })
      eventually(function()
        collectgarbage()
        return weak[1] == nil
      end)
      local results = ex:map(function(x) return { x } end, numbers(10))
      local _, value = results()
      weak[1], value = value, nil -- luacheck: ignore
      eventually(function()
        collectgarbage()
        return weak[1] == nil
      end)
      results:close()
    end)

    it("count in stats, each call once", function()
      local ex <close> = executor.make()
      local results = ex:map(function(x) if x % 4 == 0 then error(x) end end, numbers(40))
      for _ = 1, 40 do pcall(results) end
      -- a worker may count brief calls a moment later, several at a time
      eventually(function()
        local stats = ex:stats()
        return stats.completed == 30 and stats.failed == 10 and stats.pending == 0
      end)
    end)

    if executor.serial then return end

    it("end with TimeoutError, counted from the call of map", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local log <close> = logs.new()
      local results
      local seconds = took(function()
        results = ex:options { timeout = 0.2 }:map(pass_and_log(gate, log), numbers(20))
        local read, err = pcall(results)
        assert.is_false(read)
        assert.is_true(futures.isinstance(err, futures.TimeoutError))
      end)
      assert.is_true(seconds >= 0.19)
      assert.is_true(seconds < limits.within(5))
      assert.is_nil(results())
      gate:open()
      ex:shutdown()
      assert.is_true(#log:lines() <= 1) -- what had not started was cancelled
    end)

    it("that are there are yielded when the time is over", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local path = gate.path
      local results = ex:options { timeout = 0 }:map(function(x)
        if x == 3 then require "support.gate".pass(path) end
        return x
      end, { 1, 2, 3 })
      gate:open()
      ex:shutdown()
      assert.are.same({ 1, 1 }, { results() })
      assert.are.equal(3, results:collect().n)
    end)

    it("cancel what has not started when a loop is left", function()
      for _, leave in ipairs { function() return true end, function() error "out" end } do
        local ex = executor.make(1)
        local gate <close> = gates.new()
        local log <close> = logs.new()
        local path, log_path = gate.path, log.path
        pcall(function()
          for _ in ex:map(function(x)
            if x == 2 then require "support.gate".pass(path) end
            require "support.log".add(log_path, x)
          end, numbers(30)) do
            if leave() then break end
          end
        end)
        gate:open()
        ex:shutdown()
        local count = #log:lines() -- 2 may have started
        assert.is_true(count >= 1 and count <= 2, count)
      end
    end)

    it("cancel what has not started when they are closed or collected", function()
      for _, collected in ipairs { false, true } do
        local ex = executor.make(1)
        local gate <close> = gates.new()
        local log <close> = logs.new()
        local path, log_path = gate.path, log.path
        local results = ex:map(function(x)
          if x == 2 then require "support.gate".pass(path) end
          require "support.log".add(log_path, x)
        end, numbers(30))
        results()
        if collected then
          results = nil -- luacheck: ignore
          collectgarbage()
          collectgarbage()
        else
          results:close()
        end
        gate:open()
        ex:shutdown()
        assert.is_true(#log:lines() <= 2)
      end
    end)

    it("come as they complete, if not ordered", function()
      local ex <close> = executor.make(2)
      local gate <close> = gates.new()
      local path = gate.path
      local results = ex:options { ordered = false }:map(function(x)
        if x == 1 then require "support.gate".pass(path) end
        return x
      end, numbers(20))
      local seen = {}
      for _ = 1, 19 do seen[#seen + 1] = (results()) end
      table.sort(seen)
      assert.are.equal(2, seen[1])
      assert.are.equal(20, seen[19])
      gate:open()
      assert.are.same({ 1, 1 }, { results() })
      assert.is_nil(results())
    end)

    it("do not wait behind an item that takes long while a worker is idle", function()
      local ex <close> = executor.make(2)
      local gate <close> = gates.new()
      local log <close> = logs.new()
      local view = ex:options { chunksize = 50, ordered = false }
      local results = view:map(pass_and_log(gate, log), numbers(50))
      eventually(function() return #log:lines() == 49 end)
      gate:open()
      assert.are.equal(50, results:collect().n)
    end)

    it("raise CancelledError for what a shutdown cancelled, and end", function()
      local ex = executor.make(1)
      local gate <close> = gates.new()
      local log <close> = logs.new()
      local results = ex:map(pass_and_log(gate, log), numbers(40))
      ex:shutdown { wait = false, cancel_futures = true }
      gate:open()
      local cancelled = 0
      for i = 1, 40 do
        local read, err = pcall(results)
        if not read then
          assert.is_true(futures.isinstance(err, futures.CancelledError), tostring(err))
          cancelled = cancelled + 1
        else
          assert.are.equal(1, i)
        end
      end
      assert.is_true(cancelled >= 39)
      assert.is_nil(results())
      ex:shutdown()
      assert.are.equal(40 - cancelled, #log:lines())
    end)

    it("wake a step that waits when another thread of calls ends the pool", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local path = gate.path
      local results = ex:map(function(x)
        require "support.gate".pass(path)
        return x
      end, numbers(3))
      local other <close> = futures.ThreadPoolExecutor(1)
      local f = other:submit(function() return 1 end)
      f:add_done_callback(function()
        ex:shutdown { wait = false, cancel_futures = true }
        gate:open(3)
      end)
      local states = {}
      for i = 1, 3 do
        local read = pcall(results)
        states[i] = read
      end
      assert.is_false(states[3])
      assert.is_nil(results())
    end)

    it("give way to tasks of a higher priority", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local log <close> = logs.new()
      local results = ex:options { chunksize = 20 }:map(pass_and_log(gate, log), numbers(20))
      local path = log.path
      local urgent = ex:options { priority = 1 }:submit(function()
        require "support.log".add(path, "urgent")
      end)
      gate:open()
      results:collect()
      urgent:result()
      local place
      for i, line in ipairs(log:lines()) do if line == "urgent" then place = i end end
      assert.is_true(place <= 2, place)
    end)

    it("of a lower priority come after tasks submitted later", function()
      local ex <close> = executor.make(1)
      local gate <close> = gates.new()
      local log <close> = logs.new()
      local first = ex:submit(gates.pass, gate.path)
      local results = ex:options { priority = -1 }:map(log_all(log), numbers(3))
      local path = log.path
      ex:submit(function() require "support.log".add(path, "plain") end)
      gate:open()
      first:result()
      results:collect()
      assert.are.same({ "plain", "1", "2", "3" }, log:lines())
    end)

    it("come before tasks submitted later", function()
      local ex <close> = executor.make(1)
      local log <close> = logs.new()
      local results = ex:map(log_all(log), numbers(30))
      local path = log.path
      local last = ex:submit(function() require "support.log".add(path, "last") end)
      results:collect()
      last:result()
      assert.are.equal("last", log:lines()[31])
    end)
  end)
end

describe("the results of map on threads", function()
  it("fail with what breaks the pool", function()
    local gate <close> = gates.new()
    local ex <close> = futures.ThreadPoolExecutor {
      max_workers = 2, initargs = { gate.path },
      initializer = function(path)
        require "support.gate".pass(path)
        error "not today"
      end,
    }
    local results = ex:map(function(x) return x end, numbers(20))
    gate:open(2)
    for _ = 1, 20 do
      local read, err = pcall(results)
      assert.is_false(read)
      assert.is_true(futures.isinstance(err, futures.BrokenThreadPool), tostring(err))
    end
    assert.is_nil(results())
  end)

  it("fail alone where memory is limited", function()
    local ex <close> = futures.ThreadPoolExecutor { max_workers = 1, memory_limit = 2 << 20 }
    local results = ex:map(function(x)
      return #(x % 10 == 5 and ("x"):rep(8 << 20) or "y")
    end, numbers(40))
    local failed = 0
    for i = 1, 40 do
      local read, index = pcall(results)
      if read then assert.are.equal(i, index) else failed = failed + 1 end
      if not read then assert.are.equal("not enough memory", index) end
    end
    assert.are.equal(4, failed)
  end)
end)
