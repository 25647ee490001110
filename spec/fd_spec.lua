local futures = require "futures"
local child = require "support.child"
local eventually = require "support.eventually"
local gates = require "support.gate"
local limits = require "support.limits"
local optional = require "support.optional"

local socket = optional.load "socket"

describe("futures.fd", function()
  if not socket then
    pending "needs luasocket, to see whether a descriptor is readable"
    return
  end

  local ex, gate

  before_each(function()
    ex = futures.ThreadPoolExecutor(2)
    gate = gates.new()
  end)
  after_each(function()
    gate:close()
    ex:shutdown { cancel_futures = true }
  end)

  local descriptor = { getfd = function() return futures.fd() end }

  local function readable(seconds)
    return #socket.select({ descriptor }, nil, seconds or 0) > 0
  end

  local function nothing() end

  it("is a descriptor, always the same", function()
    assert.equal("integer", math.type(futures.fd()))
    assert.is_true(futures.fd() >= 0)
    assert.equal(futures.fd(), futures.fd())
  end)

  it("becomes readable when a callback is due, until poll has run it", function()
    local called = 0
    local f = ex:submit(gates.pass, gate.path)
    f:add_done_callback(function() called = called + 1 end)
    assert.is_false(readable())
    gate:open()
    assert.is_true(readable(limits.within(10)))
    assert.is_true(readable()) -- still
    assert.equal(0, called)
    assert.equal(1, futures.poll())
    assert.equal(1, called)
    assert.is_false(readable())
  end)

  it("tells of processes too, of tasks that have started and of others", function()
    local pool <close> = futures.ProcessPoolExecutor(1)
    local barrier <close> = gates.new()
    local running = pool:submit(gates.pass, barrier.path)
    eventually(function() return running:running() end)
    local waiting = pool:submit(gates.pass, barrier.path)
    for _, f in ipairs { running, waiting } do
      f:add_done_callback(nothing)
      assert.is_false(readable())
      barrier:open()
      assert.is_true(readable(limits.within(10)))
      assert.equal(1, futures.poll())
      assert.is_false(readable())
      assert.is_true(f:done())
    end
  end)

  it("is no longer readable after one poll, however much was due", function()
    local fs = {}
    for i = 1, 50 do
      fs[i] = ex:submit(function() end)
      fs[i]:add_done_callback(nothing)
      fs[i]:add_done_callback(nothing)
    end
    eventually(function()
      for _, f in ipairs(fs) do if not f:done() then return false end end
      return true
    end)
    futures.poll()
    assert.is_false(readable())
    assert.equal(0, futures.poll())
  end)

  it("is no longer readable after any other safe point", function()
    local f = ex:submit(function() end)
    f:add_done_callback(nothing)
    f:result()
    assert.is_false(readable())
    f = ex:submit(gates.pass, gate.path)
    f:add_done_callback(nothing)
    gate:open()
    assert.is_true(readable(limits.within(10)))
    futures.wait {}
    assert.is_false(readable())
  end)

  it("never becomes readable by futures without callbacks, or in an idle program", function()
    local fs = {}
    for i = 1, 20 do fs[i] = ex:submit(function() end) end
    futures.wait(fs)
    futures.Future():set_result()
    futures.Future():cancel()
    assert.is_false(readable(0.05))
  end)

  it("becomes readable when the future ends that a coroutine awaits", function()
    local f = ex:submit(gates.pass, gate.path, "result")
    local co = coroutine.create(function() return f:await() end)
    coroutine.resume(co)
    assert.is_false(readable())
    gate:open()
    assert.is_true(readable(limits.within(10)))
    assert.equal(1, futures.poll())
    assert.is_false(readable())
    assert.same({ true, "result" }, { coroutine.resume(co) })
  end)

  it("is not left readable by futures completed by hand", function()
    local called
    local f = futures.Future()
    f:add_done_callback(function() called = true end)
    f:set_result()
    assert.is_true(called)
    assert.is_false(readable())
  end)

  it("becomes readable when a future with callbacks becomes cancelled by collection", function()
    local called
    local function lose() futures.Future():add_done_callback(function() called = true end) end
    lose()
    eventually(function()
      collectgarbage()
      return readable()
    end)
    futures.poll()
    assert.is_true(called)
    assert.is_false(readable())
  end)

  it("is readable at the first call if callbacks are due already", function()
    local output = child.run([[
      local futures, socket = require "futures", require "socket"
      local ex <close> = futures.ThreadPoolExecutor(1)
      local f = ex:submit(function() io.open("GATE"):read(1) end)
      f:add_done_callback(function() end)
      io.open("GATE", "w"):write("x"):close()
      repeat until f:done() -- no safe point
      local fd = futures.fd()
      local object = { getfd = function() return fd end }
      print(#socket.select({ object }, nil, 10))
      futures.poll()
      print(#socket.select({ object }, nil, 0))
    ]], { GATE = gate.path })
    assert.equal("1\n0\n", output)
  end)

  it("stays readable when Ctrl-C has kept a callback from running", function()
    local script = child.start([[
      io.stdout:setvbuf "line"
      local futures, socket = require "futures", require "socket"
      local object = { getfd = futures.fd }
      local ex <close> = futures.ThreadPoolExecutor(1)
      local f = futures.Future()
      f:add_done_callback(function()
        print "ready"
        futures.wait { futures.Future() }
      end)
      f:add_done_callback(function() print "second" end)
      print(pcall(f.set_result, f))
      print(#socket.select({ object }, nil, 0))
      print(futures.poll())
      print(#socket.select({ object }, nil, 0))
    ]])
    finally(child.end_all)
    assert.equal("ready", script:line())
    script:asleep()
    script:signal "INT"
    assert.matches("^false\t.*interrupted!$", script:line())
    assert.equal("1\nsecond\n1\n0\n", (script:finish()))
  end)

  it("is neither missed nor left readable when workers race with poll", function()
    local left = 0
    local function ended() left = left - 1 end
    for round = 1, limits.scaled(2000) do
      for _ = 1, round % 4 + 1 do
        left = left + 1
        ex:submit(function() end):add_done_callback(ended)
      end
      while left > 0 do
        assert.is_true(readable(limits.within(20)))
        futures.poll()
      end
      assert.is_false(readable())
    end
  end)

  it("belongs to its state, and is closed with it", function()
    local other <close> = futures.ThreadPoolExecutor(1)
    local lfs = require "lfs"
    local theirs, open = other:submit(function()
      local fd = require "futures".fd()
      return fd, require "lfs".symlinkattributes("/proc/self/fd/" .. fd, "target")
    end):result()
    assert.not_equal(futures.fd(), theirs)
    other:shutdown()
    local now = lfs.symlinkattributes("/proc/self/fd/" .. theirs, "target")
    assert.is_true(now == nil or now ~= open)
  end)

  it("raises when the process has no descriptor to spare", function()
    local output = child.run([[
      local futures = require "futures"
      local files = {}
      repeat
        local file = io.open "/dev/null"
        files[#files + 1] = file
      until not file
      local ok, err = pcall(futures.fd)
      print(ok, futures.isinstance(err, futures.RuntimeError), err.message)
      for _, file in ipairs(files) do file:close() end
      print(math.type(futures.fd()))
    ]], { shell = "ulimit -n 64" })
    assert.equal("false\ttrue\tcannot open a descriptor\ninteger\n", output)
  end)
end)
