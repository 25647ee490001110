local futures = require "futures"
local eventually = require "support.eventually"
local executors = require "support.executors"
local gates = require "support.gate"
local limits = require "support.limits"

for _, executor in ipairs(executors.pools) do
  describe("await of a " .. executor.name, function()
    local ex, gate

    before_each(function()
      ex = executor.make(1)
      gate = gates.new()
    end)
    after_each(function()
      gate:close()
      ex:shutdown { cancel_futures = true }
    end)

    local function done(f) eventually(function() return f:done() end) end

    it("yields the future, and again when resumed too early, until it is done", function()
      local f = ex:submit(gates.pass, gate.path, "a", nil, nil)
      local co = coroutine.create(function() return "got", f:await() end)
      for _ = 1, 3 do
        local yielded = table.pack(coroutine.resume(co, "whatever", 1, 2))
        assert.same({ n = 2, true, f }, yielded)
        assert.equal("suspended", coroutine.status(co))
      end
      gate:open()
      done(f)
      local got = table.pack(coroutine.resume(co, "ignored"))
      assert.same({ n = 5, true, "got", "a", nil, nil }, got)
      assert.equal("dead", coroutine.status(co))
    end)

    it("does not yield when the future is done already", function()
      local f = futures.Future()
      f:set_result(1, 2)
      local co = coroutine.wrap(function() return f:await() end)
      assert.same({ n = 2, 1, 2 }, table.pack(co()))
    end)

    it("raises what the task raised, the same value", function()
      local f = ex:submit(function(pass, path) error(pass(path, { code = 7 })) end,
        gates.pass, gate.path)
      local co = coroutine.create(function() f:await() end)
      assert.same({ true, f }, { coroutine.resume(co) })
      gate:open()
      done(f)
      local _, err = coroutine.resume(co)
      assert.same({ code = 7 }, err)
      assert.equal(f:exception(), err)
    end)

    it("raises CancelledError at the line that awaits", function()
      local f = futures.Future()
      local co = coroutine.create(function()
        f:await()
      end)
      local line = debug.getinfo(1, "l").currentline - 2
      coroutine.resume(co)
      f:cancel()
      local ok, err = coroutine.resume(co)
      assert.is_false(ok)
      assert.is_true(futures.isinstance(err, futures.CancelledError))
      assert.matches(("await_spec.lua:%d: CancelledError"):format(line), tostring(err))
    end)

    it("can be caught by pcall, also when it has yielded inside", function()
      local f = futures.Future()
      local co = coroutine.wrap(function() return pcall(f.await, f) end)
      assert.equal(f, co())
      f:set_exception "no"
      assert.same({ n = 2, false, "no" }, table.pack(co()))
    end)

    it("outside of a coroutine is result", function()
      local f = ex:submit(function() return 1, nil end)
      assert.same({ n = 2, 1, nil }, table.pack(f:await()))
      assert.has_error(function() ex:submit(error, "no", 0):await() end, "no")
    end)

    it("is result where a coroutine cannot yield", function()
      local f = ex:submit(function() return "result" end)
      local co = coroutine.wrap(function()
        return (("x"):gsub("x", function() return f:await() end))
      end)
      assert.equal("result", co())
    end)

    it("is result inside a callback", function()
      local got
      local f = futures.Future()
      f:add_done_callback(function() got = ex:submit(function() return "got" end):await() end)
      coroutine.wrap(function() f:set_result() end)()
      assert.equal("got", got)
    end)

    it("returns when the callbacks of its future have run", function()
      local f = ex:submit(gates.pass, gate.path)
      local called
      f:add_done_callback(function() called = true end)
      local co = coroutine.wrap(function()
        f:await()
        return called
      end)
      assert.equal(f, co())
      gate:open()
      done(f) -- no safe point
      assert.is_true(co())
    end)

    it("makes the end of the future end a poll, once", function()
      local f = ex:submit(gates.pass, gate.path)
      local waiting = {}
      for i = 1, 3 do
        waiting[i] = coroutine.create(function() return f:await() end)
        for _ = 1, 2 do coroutine.resume(waiting[i]) end
      end
      assert.equal(0, futures.poll())
      gate:open()
      assert.equal(1, futures.poll(limits.within(10)))
      assert.equal(0, futures.poll())
      for _, co in ipairs(waiting) do
        coroutine.resume(co)
        assert.equal("dead", coroutine.status(co))
      end
    end)

    it("can be driven by a callback that resumes the coroutine", function()
      local sum = 0
      local function start(fn)
        local co = coroutine.create(fn)
        local function go()
          local ok, future = assert(coroutine.resume(co))
          if ok and coroutine.status(co) == "suspended" then future:add_done_callback(go) end
        end
        go()
      end
      for i = 1, 20 do
        start(function()
          local x = ex:submit(function() return i end):await()
          local y = ex:submit(function() return x * x end):await()
          sum = sum + y
        end)
      end
      while sum < 2870 do assert.is_true(futures.poll(limits.within(10)) > 0) end
      assert.equal(2870, sum)
    end)

    it("works in a coroutine of a task", function()
      local f = ex:submit(function()
        local inside = require "futures"
        local own = inside.Future()
        local co = coroutine.wrap(function() return "got " .. own:await() end)
        assert(co() == own)
        own:set_result "it"
        return co()
      end)
      assert.equal("got it", f:result())
    end)

    it("ends with CancelledError when nobody is left to complete the future", function()
      local err
      local function start()
        local f = futures.Future()
        local co = coroutine.create(function() err = select(2, pcall(f.await, f)) end)
        coroutine.resume(co)
        f:add_done_callback(function() coroutine.resume(co) end)
      end
      start()
      eventually(function()
        collectgarbage()
        return futures.poll() > 0
      end)
      assert.is_true(futures.isinstance(err, futures.CancelledError))
    end)

    it("leaves nothing behind when its coroutine is given up", function()
      local f = ex:submit(gates.pass, gate.path, "value")
      local weak = setmetatable({}, { __mode = "k" })
      local function give_up()
        local co = coroutine.create(function() f:await() end)
        coroutine.resume(co)
        weak[co] = true
      end
      give_up()
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(weak))
      gate:open()
      assert.equal("value", f:result())
    end)

    it("says what is wrong with its arguments", function()
      local f = futures.Future()
      local function message(fn, ...) return select(2, pcall(fn, ...)) end
      assert.matches("bad argument #1 to '[^']*' %(Future expected, got nil%)",
        message(function() f.await(nil) end))
      assert.matches("bad argument #1 to '[^']*' %(await takes no timeout%)",
        message(function() f:await(1) end))
    end)
  end)
end
