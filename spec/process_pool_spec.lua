local child = require "support.child"
local futures = require "futures"
local eventually = require "support.eventually"
local gates = require "support.gate"
local limits = require "support.limits"
local logs = require "support.log"
local processes = require "support.processes"

local pid, alive = processes.pid, processes.alive

describe("a process pool", function()
  it("runs tasks in processes of their own", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local there <close> = gates.new()
    local function both(path)
      local own = pid()
      gates.pass(path)
      return own
    end
    local one, two = ex:submit(both, there.path), ex:submit(both, there.path)
    eventually(function() return one:running() and two:running() end)
    there:open(2)
    local a, b, own = one:result(), two:result(), pid()
    assert.is_true(a ~= b and a ~= own and b ~= own)
  end)

  it("returns all values, and raises what the task raised", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    assert.same({ 7, 12, n = 2 }, table.pack(
      ex:submit(function(a, b) return a + b, a * b end, 3, 4):result()))
    assert.same({ n = 0 }, table.pack(ex:submit(function() end):result()))
    local ok, err = pcall(ex.submit(ex, function() error { code = 7 } end).result,
      ex:submit(function() error { code = 7 } end))
    assert.is_false(ok)
    assert.same({ code = 7 }, err)
    local f = ex:submit(function() error "no" end)
    assert.matches("process_pool_spec.lua:%d+: no$", f:exception())
    assert.matches("process_pool_spec.lua:%d+: in ", f:traceback())
  end)

  it("sends functions with what they captured, as source", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local scale, offset = 3, { 4 }
    local function twice(x) return 2 * x end
    assert.equal(3 * 10 + 4, ex:submit(function(x)
      return scale * twice(x) + offset[1]
    end, 5):result())
    assert.equal(120, ex:submit([[
      local function factorial(n) return n < 2 and 1 or n * factorial(n - 1) end
      return factorial(...)
    ]], 5):result())
    assert.has_error(function() ex:submit(load("return 1", "=nowhere")) end)
  end)

  it("raises at submit for what cannot travel, and names it", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local file = io.tmpfile()
    local ok, err = pcall(ex.submit, ex, function() return file end)
    assert.is_false(ok)
    assert.is_true(futures.isinstance(err, futures.SerializationError))
    assert.matches("upvalue 'file'", err.message)
    file:close()
  end)

  it("fails the one task whose result cannot travel", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local f = ex:submit(function() return io.tmpfile() end)
    local g = ex:submit(function() return "fine" end)
    assert.is_true(futures.isinstance(f:exception(), futures.SerializationError))
    assert.equal("fine", g:result())
  end)

  it("fails the one task whose arguments do not arrive", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local Shy = { __reduce = function() return function() error "not here" end end }
    local f = ex:submit(function() return 1 end, setmetatable({}, Shy))
    local g = ex:submit(function() return "fine" end)
    assert.matches("not here", tostring(f:exception()))
    assert.equal("fine", g:result())
  end)

  it("keeps a worker's globals from task to task", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local function count()
      _G.times = (_G.times or 0) + 1
      return _G.times
    end
    assert.equal(1, ex:submit(count):result())
    assert.equal(2, ex:submit(count):result())
  end)

  it("starts no more workers than there is work for", function()
    local ex <close> = futures.ProcessPoolExecutor(4)
    local seen = {}
    for _ = 1, 20 do seen[ex:submit(pid):result()] = true end
    assert.is_not_nil(next(seen))
    assert.is_nil(next(seen, next(seen)))
  end)

  it("passes strings of any size, both ways", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    for _, size in ipairs { 0, 1, 900, 960, 961, 4096, 262144, 262145, 1000003, 5000000 } do
      local text = ("0123456789abcdef"):rep(size // 16 + 1):sub(1, size)
      local back = ex:submit(function(s) return s, #s end, text):result()
      assert.is_true(back == text, size)
    end
  end)

  it("passes many large calls and results at a time", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local fs = {}
    for i = 1, 40 do
      local text = string.char(64 + i):rep(i * 20000)
      fs[i] = ex:submit(function(s) return s:lower() end, text)
    end
    for i = 1, 40 do
      local text = string.char(64 + i):rep(i * 20000)
      assert.is_true(fs[i]:result() == text:lower())
    end
  end)

  it("says what runs and what waits", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local gate <close> = gates.new()
    local first = ex:submit(gates.pass, gate.path)
    local second = ex:submit(gates.pass, gate.path)
    eventually(function() return first:running() end)
    assert.is_false(second:running())
    assert.matches("state=pending", tostring(second))
    assert.is_false(first:cancel())
    assert.is_true(second:cancel())
    assert.is_true(second:cancelled())
    gate:open()
    assert.is_nil(first:result())
    assert.is_false(pcall(second.result, second))
  end)

  it("never runs what was cancelled", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local gate <close> = gates.new()
    local log <close> = logs.new()
    local first = ex:submit(gates.pass, gate.path)
    local fs = {}
    for i = 1, 700 do fs[i] = ex:submit(logs.add, log.path, i) end
    eventually(function() return first:running() end)
    for i = 1, 700, 2 do assert.is_true(fs[i]:cancel()) end
    gate:open()
    futures.wait(fs)
    local lines = log:lines()
    assert.equal(350, #lines)
    for i, line in ipairs(lines) do assert.equal(tostring(2 * i), line) end
  end)

  it("completes one worker's tasks in their order", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local fs, order = {}, {}
    for i = 1, 2000 do fs[i] = ex:submit(function() return i end) end
    for f in futures.as_completed(fs) do order[#order + 1] = f:result() end
    for i = 1, 2000 do assert.equal(i, order[i]) end
  end)

  it("runs callbacks, at safe points", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local called = 0
    for i = 1, 100 do
      ex:submit(function(x) return x end, i):add_done_callback(function(f)
        called = called + f:result()
      end)
    end
    eventually(function() futures.poll() return called == 5050 end)
  end)

  it("feeds its workers while the program computes and calls nothing", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local log <close> = logs.new()
    for i = 1, 3000 do ex:submit(logs.add, log.path, i) end
    eventually(function() return #log:lines() == 3000 end)
  end)

  it("mixes with threads in one wait", function()
    local there <close> = futures.ProcessPoolExecutor(1)
    local here <close> = futures.ThreadPoolExecutor(1)
    local fs = {}
    for i = 1, 20 do fs[i] = (i % 2 == 0 and there or here):submit(function() return i end) end
    local done, rest = futures.wait(fs, 60)
    assert.equal(20, #done)
    assert.equal(0, #rest)
  end)

  it("gives its workers no input", function()
    local output = child.run([[
      local futures = require "futures"
      local ex <close> = futures.ProcessPoolExecutor(1)
      print(ex:submit(function() return #io.read "a", io.read(1), io.read "l" end):result())
      print(io.read "l")
    ]], { shell = "exec <<END\nof the script\nEND\ntrue" })
    assert.equal("0\tnil\tnil\nof the script\n", output)
  end)

  it("has what they print at the end of each task, though they are killed then", function()
    local output = child.run [[
      local futures = require "futures"
      local ex = futures.ProcessPoolExecutor(1)
      ex:submit(function()
        io.stdout:setvbuf("full")
        io.write "printed by a task"
      end):result()
      ex:kill_workers()
      ex:shutdown()
    ]]
    assert.equal("printed by a task", output)
  end)

  it("lets them inherit no descriptor of the host", function()
    local held <close> = assert(io.open("/proc/self/status", "r"))
    assert.is_string(held:read "l")
    local ex <close> = futures.ProcessPoolExecutor(1)
    local names = ex:submit(function()
      local pipe <close> = io.popen "for f in /proc/$PPID/fd/*; do readlink $f; done"
      return pipe:read "a"
    end):result()
    assert.is_nil(names:find("/proc/self/status", 1, true))
    assert.is_nil(names:find("/status", 1, true))
  end)

  it("ends its workers with shutdown", function()
    local ex = futures.ProcessPoolExecutor(2)
    local process = ex:submit(pid):result()
    assert.is_true(alive(process))
    ex:shutdown()
    assert.is_false(alive(process))
    assert.is_false(pcall(ex.submit, ex, pid))
  end)

  it("finishes what was submitted before shutdown and collection", function()
    local log <close> = logs.new()
    local ex = futures.ProcessPoolExecutor(2)
    for i = 1, 50 do ex:submit(logs.add, log.path, i) end
    ex:shutdown(false)
    ex:shutdown()
    assert.equal(50, #log:lines())
    for i = 1, 50 do futures.ProcessPoolExecutor(1):submit(logs.add, log.path, i) end
    collectgarbage()
    collectgarbage()
    eventually(function() return #log:lines() == 100 end, 30)
  end)

  it("cancels what has not started, if told so", function()
    local ex = futures.ProcessPoolExecutor(1)
    local gate <close> = gates.new()
    local first = ex:submit(gates.pass, gate.path, "ran")
    eventually(function() return first:running() end)
    local rest, called = {}, 0
    for i = 1, 1000 do
      rest[i] = ex:submit(gates.pass, gate.path)
      rest[i]:add_done_callback(function() called = called + 1 end)
    end
    ex:shutdown { wait = false, cancel_futures = true }
    for _, f in ipairs(rest) do assert.is_true(f:cancelled()) end
    assert.equal(1000, called)
    gate:open()
    ex:shutdown()
    assert.equal("ran", first:result(0))
  end)

  it("uses no CPU when it is idle", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local process = ex:submit(pid):result()
    local function used() return processes.seconds(process) + processes.seconds(pid()) end
    futures.poll(0.2)
    local before = used()
    futures.poll(1)
    assert.is_true(used() - before <= limits.within(0.02))
  end)
end)
