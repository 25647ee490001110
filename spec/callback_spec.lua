local futures = require "futures"
local child = require "support.child"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"

local ex, gate, seen

local function fresh(executor)
  ex = executor.make(1)
  gate = gates.new()
  seen = {}
end

local function finish()
  gate:close()
  ex:shutdown { cancel_futures = true }
end

-- A callback that notes a word.
local function note(word)
  return function() seen[#seen + 1] = word end
end

local function done(f) eventually(function() return f:done() end) end

for _, executor in ipairs(executors.pools) do
  describe("a callback of a " .. executor.name, function()
    before_each(function() fresh(executor) end)
    after_each(finish)

    it("is called with its future alone, once, when that is done", function()
      local f = ex:submit(gates.pass, gate.path, "value")
      f:add_done_callback(function(...) seen[#seen + 1] = table.pack(...) end)
      futures.poll()
      assert.equal(0, #seen)
      gate:open()
      assert.equal("value", f:result())
      assert.same({ n = 1, f }, seen[1])
      f:result()
      futures.poll()
      assert.equal(1, #seen)
    end)

    it("is called after failure and cancellation too", function()
      ex:submit(gates.pass, gate.path)
      local cancelled = ex:submit(function() end)
      local failed = ex:submit(function() error "no" end)
      for _, f in ipairs { cancelled, failed } do
        f:add_done_callback(function(g)
          seen[#seen + 1] = g:cancelled() and "cancelled" or "failed"
        end)
      end
      cancelled:cancel()
      assert.same({ "cancelled" }, seen)
      gate:open()
      failed:exception()
      assert.same({ "cancelled", "failed" }, seen)
    end)

    it("of one future comes in the order added", function()
      local f = ex:submit(gates.pass, gate.path)
      for i = 1, 100 do f:add_done_callback(note(i)) end
      gate:open()
      f:result()
      assert.equal(100, #seen)
      for i = 1, 100 do assert.equal(i, seen[i]) end
    end)

    it("of several futures comes in the order in which these are done", function()
      local fs, two = {}, executor.make(3)
      local gs = { gates.new(), gates.new(), gates.new() }
      for i = 1, 3 do
        fs[i] = two:submit(gates.pass, gs[i].path)
        fs[i]:add_done_callback(note(i))
      end
      for _, i in ipairs { 2, 3, 1 } do
        gs[i]:open()
        done(fs[i])
        gs[i]:close()
      end
      futures.poll()
      two:shutdown()
      assert.same({ 2, 3, 1 }, seen)
    end)

    it("is called at once if the future is done already", function()
      local f = ex:submit(function() end)
      f:result()
      f:add_done_callback(note "first")
      assert.same({ "first" }, seen)
      local g = futures.Future()
      g:cancel()
      g:add_done_callback(note "second")
      assert.same({ "first", "second" }, seen)
    end)

    it("of a future that is done comes after those that are due already", function()
      local f, g = ex:submit(gates.pass, gate.path), futures.Future()
      f:add_done_callback(note "due")
      g:set_result()
      gate:open()
      done(f) -- no safe point
      g:add_done_callback(note "at once")
      assert.same({ "due", "at once" }, seen)
    end)

    it("may be anything that can be called", function()
      local callable = setmetatable({}, { __call = function(_, f) seen[1] = f end })
      local f = futures.Future()
      f:add_done_callback(callable)
      f:set_result()
      assert.equal(f, seen[1])
    end)

    it("sees its future done, and may ask it for everything", function()
      local f = ex:submit(gates.pass, gate.path, 42)
      f:add_done_callback(function(g)
        seen = { g:done(), g:running(), g:result(0), g:exception() }
      end)
      gate:open()
      f:result()
      assert.same({ true, false, 42 }, seen)
    end)

    it("comes only at safe points, however long the future is done", function()
      local f = ex:submit(gates.pass, gate.path)
      f:add_done_callback(note "called")
      gate:open()
      done(f) -- asks done() alone
      assert.same({ false, false }, { f:cancelled(), f:running() })
      assert.matches("finished", tostring(f))
      assert.is_nil(f:traceback())
      ex:submit(function() end)
      collectgarbage()
      assert.same({}, seen)
      futures.poll()
      assert.same({ "called" }, seen)
    end)

    local safe_points = {
      result = function(f) f:result() end,
      ["result of another future"] = function() ex:submit(function() end):result() end,
      ["a result that times out"] = function()
        local never = futures.Future()
        pcall(never.result, never, 0.01)
      end,
      exception = function(f) f:exception() end,
      wait = function() futures.wait {} end,
      ["a step of as_completed"] = function(f) futures.as_completed { f }() end,
      shutdown = function() ex:shutdown() end,
      ["shutdown that does not wait"] = function() ex:shutdown(false) end,
      cancel = function() futures.Future():cancel() end,
      set_result = function() futures.Future():set_result() end,
      set_exception = function() futures.Future():set_exception "" end,
      set_running_or_notify_cancel = function() futures.Future():set_running_or_notify_cancel() end,
      poll = function() futures.poll() end,
      ["another add_done_callback of a future that is done"] = function(f)
        f:add_done_callback(function() end)
      end,
    }
    for name, point in pairs(safe_points) do
      it("comes inside " .. name, function()
        local f = ex:submit(gates.pass, gate.path)
        f:add_done_callback(note "called")
        gate:open()
        done(f)
        assert.same({}, seen)
        point(f)
        assert.same({ "called" }, seen)
      end)
    end

    it("has run for every future that a call saw done, when that call returns", function()
      for _ = 1, limits.scaled(200) do
        local called = {}
        local fs = {}
        for i = 1, 20 do
          fs[i] = ex:submit(function() end)
          fs[i]:add_done_callback(function(f) called[f] = true end)
        end
        local finished = futures.wait(fs, nil, "FIRST_COMPLETED")
        for _, f in ipairs(finished) do assert.is_true(called[f]) end
        fs[20]:result()
        assert.is_true(called[fs[20]])
        for f in futures.as_completed(fs) do assert.is_true(called[f]) end
      end
    end)

    it("runs no other one inside it, whatever it calls", function()
      local depth, deepest, count = 0, 0, 0
      local function call(f, more)
        f:add_done_callback(function()
          depth = depth + 1
          deepest = math.max(deepest, depth)
          count = count + 1
          if more > 0 then
            for _ = 1, 2 do
              local task = ex:submit(function() return 1 end)
              call(task, more - 1)
              assert(task:result() == 1)
              local own = futures.Future()
              call(own, more - 1)
              own:set_result()
              assert(futures.poll(1) == 0)
              futures.wait { task, own }
            end
          end
          depth = depth - 1
        end)
      end
      local f = futures.Future()
      call(f, 3)
      f:set_result()
      assert.equal(1 + 4 + 16 + 64, count)
      assert.equal(1, deepest)
    end)

    it("added inside one to its own future comes right after that, before later ones", function()
      local f = futures.Future()
      f:add_done_callback(function()
        seen[#seen + 1] = "first"
        f:add_done_callback(note "inner")
        seen[#seen + 1] = "still first"
      end)
      f:add_done_callback(note "second")
      f:set_result()
      assert.same({ "first", "still first", "inner", "second" }, seen)
    end)

    it("added inside one to another future that is done comes right after it as well", function()
      local other = futures.Future()
      other:set_result()
      local f = futures.Future()
      f:add_done_callback(function()
        other:add_done_callback(note "other")
        seen[#seen + 1] = "first"
      end)
      f:add_done_callback(note "second")
      f:set_result()
      assert.same({ "first", "other", "second" }, seen)
    end)

    it("may cancel and complete futures: their callbacks come afterwards", function()
      local keeper = ex:submit(gates.pass, gate.path)
      eventually(function() return keeper:running() end)
      local waiting, own = ex:submit(function() end), futures.Future()
      waiting:add_done_callback(note "cancelled")
      own:add_done_callback(note "completed")
      local f = futures.Future()
      f:add_done_callback(function()
        waiting:cancel()
        own:set_result()
        seen[#seen + 1] = "first"
      end)
      f:add_done_callback(note "second")
      f:set_result()
      assert.same({ "first", "second", "cancelled", "completed" }, seen)
    end)

    it("may submit tasks and wait for them", function()
      local f = ex:submit(function() return 1 end)
      local total
      f:add_done_callback(function(g)
        total = g:result() + ex:submit(function(x) return x + 1 end, 1):result()
      end)
      f:result()
      assert.equal(3, total)
    end)

    it("comes in coroutines too, and there for futures of others", function()
      local f = ex:submit(function() return 1 end)
      f:add_done_callback(note "main")
      coroutine.wrap(function()
        local g = ex:submit(function() return 2 end)
        g:add_done_callback(note "coroutine")
        g:result()
      end)()
      assert.same({ "main", "coroutine" }, seen)
    end)

    it("in thousands comes for each future once", function()
      local counts = {}
      local many <close> = executor.make(4)
      for i = 1, limits.scaled(20000) do
        counts[i] = 0
        many:submit(function() end):add_done_callback(function() counts[i] = counts[i] + 1 end)
      end
      many:shutdown()
      for _, count in ipairs(counts) do assert.equal(1, count) end
    end)
  end)
end

describe("an error in a callback", function()
  local report

  before_each(function()
    fresh(executors[1])
    report = futures.on_callback_error
  end)
  after_each(function()
    futures.on_callback_error = report
    finish()
  end)

  it("goes to futures.on_callback_error with the future, and stops nothing", function()
    local reports = {}
    futures.on_callback_error = function(...) reports[#reports + 1] = table.pack(...) end
    local f = futures.Future()
    f:add_done_callback(function() error("broken", 0) end)
    f:add_done_callback(note "second")
    f:add_done_callback(function() error { code = 1 } end)
    f:set_result "value"
    assert.same({ { n = 2, "broken", f }, { n = 2, { code = 1 }, f } }, reports)
    assert.same({ "second" }, seen)
    assert.equal("value", f:result())
  end)

  it("does so for late ones, and of any type", function()
    local reports = {}
    futures.on_callback_error = function(err) reports[#reports + 1] = { err } end
    local f = futures.Future()
    f:set_result()
    f:add_done_callback(function() error "late" end)
    assert.matches("callback_spec.lua:%d+: late$", reports[1][1])
    f:add_done_callback(function() error(false) end)
    f:add_done_callback(function() error(nil) end)
    assert.same({ { false }, {} }, { reports[2], reports[3] })
  end)

  it("is printed on stderr unless told otherwise", function()
    local output = child.run [[
      local futures = require "futures"
      local f = futures.Future()
      f:add_done_callback(function() error "broken" end)
      f:set_result()
      print "goes on"
    ]]
    assert.matches("^exception calling callback for <Future at 0x%x+ state=finished returned nil>: "
      .. "[^\n]*:3: broken\n", output)
    assert.matches("goes on\n$", output)
  end)

  it("in the report itself stops nothing either", function()
    futures.on_callback_error = function() error "worse" end
    local f = futures.Future()
    f:add_done_callback(function() error "broken" end)
    f:add_done_callback(note "second")
    f:set_result()
    assert.same({ "second" }, seen)
    futures.on_callback_error = nil
    local g = futures.Future()
    g:add_done_callback(function() error "broken" end)
    g:add_done_callback(note "third")
    g:set_result()
    assert.same({ "second", "third" }, seen)
  end)
end)
