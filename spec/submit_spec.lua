local futures = require "futures"
local child = require "support.child"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"

for _, executor in ipairs(executors.classes) do
  describe("submit to a " .. executor.name, function()
    local ex

    setup(function() ex = executor.make(2) end)
    teardown(function() ex:shutdown() end)

    local function results(...) return table.pack(ex:submit(...):result()) end

    it("calls the function with the arguments and returns all its results", function()
      assert.same({ n = 2, 7, 12 }, results(function(a, b) return a + b, a * b end, 3, 4))
    end)

    it("tells no result from a nil", function()
      assert.same({ n = 0 }, results(function() end))
      assert.same({ n = 1 }, results(function() return nil end))
      assert.same({ n = 3, nil, false, nil }, results(function() return nil, false, nil end))
    end)

    it("passes nil arguments, trailing ones too", function()
      local f = function(...) return select("#", ...) end
      assert.same({ n = 1, 4 }, results(f, nil, 1, nil, nil))
    end)

    it("takes thousands of arguments and results", function()
      local many = {}
      for i = 1, 10000 do many[i] = i end
      local back = results(function(...) return ... end, table.unpack(many))
      assert.equal(10000, back.n)
      for i = 1, 10000 do assert.equal(i, back[i]) end
    end)

    it("keeps what a task changes in the task", function()
      local argument, captured, count = { 1 }, { "a" }, 0
      ex:submit(function(t)
        t[1], captured[1], count = 2, "b", count + 1
      end, argument):result()
      assert.same({ 1 }, argument)
      assert.same({ "a" }, captured)
      assert.equal(0, count)
    end)

    it("starts each task from the values as submitted, with the same function too", function()
      local one <close> = executor.make(1)
      local count, list = 0, {}
      local function step()
        count = count + 1
        list[#list + 1] = count
        return count, #list
      end
      for _ = 1, 3 do assert.same({ 1, 1 }, { one:submit(step):result() }) end
      step()
      assert.same({ 2, 2 }, { one:submit(step):result() })
    end)

    it("takes a string of Lua code, which gets the arguments as ...", function()
      assert.same({ n = 3, 3, 4, 7 }, results("local a, b = ... return a, b, a + b", 3, 4))
      assert.same({ n = 0 }, results "")
    end)

    it("raises a syntax error of such a string at once", function()
      local ok, err = pcall(ex.submit, ex, "return +")
      assert.is_false(ok)
      assert.matches('%[string "return %+"%]:1: unexpected symbol', err)
    end)

    it("does not take bytecode as a string", function()
      local ok, err = pcall(ex.submit, ex, string.dump(function() end))
      assert.is_false(ok)
      assert.matches("attempt to load a binary chunk", err)
    end)

    it("runs the task of a future that nobody keeps", function()
      local log <close> = logs.new()
      for i = 1, 10 do ex:submit(logs.add, log.path, i) end
      collectgarbage()
      eventually(function() return #log:lines() == 10 end)
    end)

    it("raises what cannot be sent, with the path to it, and goes on well", function()
      local thread = coroutine.create(print)
      local handlers = { 0, 0, { co = thread } }
      local ok, err = pcall(ex.submit, ex, function() end, 1, { handlers = handlers })
      assert.is_false(ok)
      assert.is_true(futures.isinstance(err, futures.SerializationError))
      assert.equal("cannot send argument 2.handlers[3].co: thread", err.message)
      ok, err = pcall(ex.submit, ex, function() return thread end)
      assert.is_false(ok)
      assert.matches("^cannot send upvalue 'thread' of function <.*submit_spec.lua:%d+>: thread$",
        err.message)
      assert.equal(1, ex:submit(function() return 1 end):result())
    end)

    it("works on many of them at once", function()
      local pools, fs = {}, {}
      for i = 1, executor.name:find "Process" and 20 or 100 do
        pools[i] = executor.make(1)
        fs[i] = pools[i]:submit(function(x) return x end, i)
      end
      for i, f in ipairs(fs) do assert.equal(i, f:result()) end
      for _, pool in ipairs(pools) do pool:shutdown() end
    end)

    if executor.serial then return end

    it("returns before the task has run", function()
      local gate <close> = gates.new()
      local f = ex:submit(gates.pass, gate.path, "late")
      assert.is_false(f:done())
      gate:open()
      assert.equal("late", f:result())
    end)

    it("copies arguments and upvalues at once: later changes do not arrive", function()
      local one <close> = executor.make(1)
      local gate <close> = gates.new()
      one:submit(gates.pass, gate.path) -- keeps the only worker
      local argument, captured, plain = { 1 }, { "a" }, "before"
      local f = one:submit(function(t) return t[1], captured[1], plain end, argument)
      argument[1], captured[1], plain = 2, "b", "after"
      gate:open()
      assert.same({ 1, "a", "before" }, { f:result() })
      assert.equal("after", plain)
    end)
  end)
end

for _, executor in ipairs(executors.classes) do
  describe("what goes wrong in a " .. executor.name .. " fails only its own future:", function()
    local ex

    setup(function() ex = executor.make(1) end)
    teardown(function() ex:shutdown() end)

    -- The task fails with what matches; the worker does the next one as ever.
    local function fails(expected, ...)
      local f = ex:submit(...)
      local after = ex:submit(function() return "fine" end)
      local ok, err = pcall(f.result, f)
      assert.is_false(ok)
      assert.matches(expected, tostring(err))
      assert.equal("fine", after:result())
      return err
    end

    it("an error", function()
      fails("submit_spec.lua:%d+: broken$", function() error "broken" end)
    end)

    it("a stack overflow in Lua", function()
      local function deep(n) return 1 + deep(n + 1) end
      fails("stack overflow", deep, 1)
    end)

    it("a stack overflow in C", function()
      local function nest(s) return (s:gsub(".", nest)) end
      fails("C stack overflow", nest, "x")
    end)

    it("a result that cannot be sent", function()
      local err = fails("cannot send result 2%.co: thread", function()
        return 1, { co = coroutine.create(print) }
      end)
      assert.is_true(futures.isinstance(err, futures.SerializationError))
    end)

    it("an error value that cannot be sent", function()
      local err = fails("thread: 0x", function() error(coroutine.create(print)) end)
      assert.is_true(futures.isinstance(err, futures.SerializationError))
    end)

    it("an error value whose __tostring raises", function()
      fails("cannot send error", function()
        local meta = { __tostring = function() error "no" end }
        error(setmetatable({ coroutine.create(print) }, meta))
      end)
    end)

    it("more memory than there is", function()
      if limits.sanitizer then return pending "sanitizers need all of the address space" end
      local output = child.run([[
        local futures = require "futures"
        local ex <close> = futures.CLASS(ONE)
        local f = ex:submit(function() return #("x"):rep(1 << 30) end)
        local after = ex:submit(function() return "fine" end)
        print(f:exception(), f:traceback(), after:result())
      ]], { shell = "ulimit -v 600000", CLASS = executor.name, ONE = executor.serial and "" or 1 })
      assert.equal("not enough memory\tnil\tfine\n", output)
    end)
  end)
end
