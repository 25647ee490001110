-- A process that has pools forks: what its child may use, and never waits for.
local child = require "support.child"
local limits = require "support.limits"

--- Run a script that forks; it prints what happened in both processes. A
-- limit of CPU time ends what spins.
local function run(script)
  -- a child leaves its parent's pools alone, with what they hold
  local shell = "export ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=$TSAN_OPTIONS:die_after_fork=0;"
    .. " ulimit -t %d"
  local output, how, code = child.run([[
local fork = require "fork"
local futures = require "futures"

--- Run fn in a child process, closing its state at the end if asked; print how
-- that ended.
local function in_child(fn, close)
  local pid = fork.fork()
  if pid == 0 then
    local ok, err = xpcall(fn, debug.traceback)
    if not ok then print(err) end
    io.stdout:flush()
    if close then os.exit(ok and 0 or 1, true) end
    fork.leave(ok and 0 or 1)
  end
  print("child", fork.wait(pid))
end

-- A pool with a task that runs until the file is there, and one behind it.
local gate = os.tmpname()
os.remove(gate)
local function wait_for_file(path)
  repeat local file = io.open(path) until file
end
local function open_gate() io.open(gate, "w"):close() end
]] .. script .. [[

os.remove(gate)
]], { shell = shell:format(limits.within(20)) })
  assert.equal("exit", how, output)
  assert.equal(0, code, output)
  return output
end

local LOST = "[^\n]*RuntimeError: this task belongs to the parent process [^\n]*\n"

-- ThreadSanitizer knows no new threads in a child, and the allocator of
-- AddressSanitizer leaves it the locks that other threads held.
local with_threads = os.getenv "FUTURES_SANITIZE" == "thread" and pending or it
local in_any_moment = limits.sanitizer and pending or it

describe("a forked child", function()
  after_each(child.end_all)

  it("is told that an old pool is not its own", function()
    local output = run [[
local pool <close> = futures.ThreadPoolExecutor(1)
pool:submit(math.abs, -1):result()
in_child(function()
  local ok, err = pcall(pool.submit, pool, math.abs, -1)
  print(ok, futures.isinstance(err, futures.RuntimeError), err)
  pool:shutdown()
  print(tostring(pool):match "of the parent process")
end)]]
    assert.matches("false\ttrue\t.*RuntimeError: this executor belongs to the parent", output)
    assert.matches("\nof the parent process\nchild\texit\t0\n", output)
  end)

  it("does not wait for what its parent's workers do", function()
    local output = run [[
local pool <close> = futures.ThreadPoolExecutor(1)
local done = pool:submit(math.abs, -7)
done:result()
local running, pending = pool:submit(wait_for_file, gate), pool:submit(math.abs, -1)
pending:add_done_callback(function() print "callback" end)
repeat until running:running()
in_child(function()
  print(done:result())
  for _, f in ipairs { running, pending } do
    print(pcall(f.result, f))
    print(pcall(f.exception, f, 3600))
    print(pcall(futures.wait, { done, f }))
    print(#futures.wait({ done, f }, nil, futures.FIRST_COMPLETED))
    print(#select(2, futures.wait({ f }, 0)))
    print(pcall(function() for _ in futures.as_completed { f } do end end))
  end
  print(running:cancel(), pending:cancel(), pending:cancelled())
end)
open_gate()
print(running:result(), pending:result())]]
    local refused = "false\t" .. LOST
    local each = refused:rep(3) .. "1\n1\n" .. refused
    assert.matches("^7\n" .. each .. each, output)
    assert.matches("false\ttrue\ttrue\nchild\texit\t0\ncallback\nnil\t1\n$", output)
  end)

  it("goes on with an iteration only as far as there are results", function()
    local output = run [[
local pool <close> = futures.ThreadPoolExecutor(1)
local fs = { pool:submit(math.abs, -1), pool:submit(wait_for_file, gate) }
local next_done = futures.as_completed(fs)
print(next_done():result())
in_child(function() print(pcall(next_done)) end)
open_gate()
next_done():result()]]
    assert.matches("^1\nfalse\t" .. LOST .. "child\texit\t0\n$", output)
  end)

  with_threads("makes pools of its own, with callbacks", function()
    local output = run [[
local old = futures.ThreadPoolExecutor(2)
old:submit(math.abs, -1):result()
local by_hand = futures.Future()
in_child(function()
  local pool <close> = futures.ThreadPoolExecutor(2)
  local fs = {}
  for i = 1, 100 do fs[i] = pool:submit(math.abs, -i) end
  local sum, called = 0, 0
  for _, f in ipairs(fs) do f:add_done_callback(function() called = called + 1 end) end
  for f in futures.as_completed(fs) do sum = sum + f:result() end
  by_hand:set_result "by hand"
  print(sum, called, by_hand:result())
end, true)
print(old:submit(math.abs, -3):result())]]
    assert.equal("5050\t100\tby hand\nchild\texit\t0\n3\n", output)
  end)

  it("closes its state at once, with old pools in it", function()
    local output = run [[
local pool = futures.ThreadPoolExecutor(1)
local running, pending = pool:submit(wait_for_file, gate), pool:submit(math.abs, -1)
pending:add_done_callback(function() print "callback" end)
repeat until running:running()
in_child(function() print "closing" end, true)
in_child(function()
  pool, running, pending = nil, nil, nil
  collectgarbage()
  collectgarbage()
  print "collected"
end, true)
open_gate()
print(pending:result())]]
    assert.equal("closing\nchild\texit\t0\ncollected\nchild\texit\t0\ncallback\n1\n", output)
  end)

  in_any_moment("finds no lock held, whatever the parent's threads did", function()
    local output = run(([[
local pool <close> = futures.ThreadPoolExecutor(3)
local called = 0
for round = 1, %d do
  local fs = {}
  for i = 1, 50 do
    fs[i] = pool:submit(math.abs, -i)
    fs[i]:add_done_callback(function() called = called + 1 end)
  end
  local pid = fork.fork()
  if pid == 0 then
    local new = futures.ThreadPoolExecutor(2)
    local f = new:submit(math.abs, -round)
    f:add_done_callback(function() end)
    assert(f:result() == round)
    for _, old in ipairs(fs) do
      if old:done() then old:result() else assert(not pcall(old.result, old)) end
    end
    fs = nil
    collectgarbage()
    new:shutdown()
    os.exit(0, round %% 2 == 0)
  end
  local how, code = fork.wait(pid)
  assert(how == "exit" and code == 0, how .. code)
  futures.wait(fs)
end
print(called)]]):format(limits.scaled(100)))
    assert.equal(50 * limits.scaled(100) .. "\n", output)
  end)

  in_any_moment("reads what was done of a map, whatever the parent's threads did", function()
    local output = run(([[
local pool <close> = futures.ThreadPoolExecutor(3)
local lost = 0
for round = 1, %d do
  local view = pool:options { chunksize = 1, ordered = round %% 2 == 0 }
  local results = view:map(function(x) return -x end, (function()
    local xs = {}
    for i = 1, 2000 do xs[i] = i end
    return xs
  end)())
  for _ = 1, 5 * round do results() end -- workers are at it
  local pid = fork.fork()
  if pid == 0 then
    local ok, err
    local read = 5 * round
    repeat
      local i, x
      ok, err = pcall(function() i, x = results() end)
      assert(not i or x == -i)
      if i then read = read + 1 end
    until not i
    assert(ok and read == 2000 or futures.isinstance(err, futures.RuntimeError))
    if round %% 3 == 0 then results:close() end
    results = nil
    collectgarbage()
    os.exit(ok and 0 or 1, round %% 4 == 0)
  end
  local how, code = fork.wait(pid)
  assert(how == "exit" and code <= 1, how .. code)
  lost = lost + code
  for i, x in results do assert(x == -i) end
end
print(lost > 0)]]):format(limits.scaled(100)))
    assert.equal("true\n", output)
  end)

  it("leaves worker processes to its parent", function()
    local output = run [[
local pool = futures.ProcessPoolExecutor(2)
local running, pending = pool:submit(wait_for_file, gate), pool:submit(wait_for_file, gate)
local third = pool:submit(function() return 3 end)
third:add_done_callback(function() print "callback" end)
repeat until running:running()
in_child(function()
  print(pcall(pool.submit, pool, math.abs, -1))
  print(pcall(running.result, running))
  print(pending:cancel(), third:cancel())
  pool:kill_workers()
  print(tostring(pool):match "of the parent process")
end)
in_child(function()
  pool, running, pending, third = nil, nil, nil, nil
  collectgarbage()
  collectgarbage()
  print "collected"
end, true)
in_child(function() print "closing" end, true)
open_gate()
print(running:result(), pending:result(), third:result())
pool:shutdown()]]
    assert.matches("false\t[^\n]*RuntimeError: this executor belongs to the parent", output)
    assert.matches("\nfalse\t" .. LOST, output)
    assert.matches("\nof the parent process\nchild\texit\t0\ncollected\nchild\texit\t0\n"
      .. "closing\nchild\texit\t0\ncallback\nnil\tnil\t3\n$", output)
  end)

  for _, class in ipairs { "ThreadPoolExecutor", "ProcessPoolExecutor" } do
    it("gets no more results of a map, nor by await, from a " .. class, function()
      local output = run(([[
local pool = futures.%s(2)
local results = pool:map(function(path) return path or 1 end, { gate, gate })
local waiting = pool:map(wait_for_file, { gate, gate, gate })
local running = pool:submit(wait_for_file, gate)
print(results() == 1)
in_child(function()
  print(pcall(function() for _ in waiting do end end))
  print(pcall(futures.run, function() return running:await() end))
  print(pcall(pool.map, pool, math.abs, { 1 }))
  waiting:close()
  print "closed"
end, true)
open_gate()
print(waiting:collect().n, running:exception())]]):format(class))
      assert.matches("^true\nfalse\t" .. LOST .. "false\t" .. LOST
        .. "false\t[^\n]*RuntimeError: this executor belongs to the parent[^\n]*\nclosed\n"
        .. "child\texit\t0\n3\tnil\n$", output)
    end)
  end

  with_threads("makes worker processes of its own", function()
    local output = run [[
local old = futures.ProcessPoolExecutor(1)
print(old:submit(math.abs, -1):result())
in_child(function()
  local pool <close> = futures.ProcessPoolExecutor(2)
  local fs = {}
  for i = 1, 100 do fs[i] = pool:submit(math.abs, -i) end
  local sum = 0
  for f in futures.as_completed(fs) do sum = sum + f:result() end
  print(sum)
end, true)
print(old:submit(math.abs, -3):result())]]
    assert.equal("1\n5050\nchild\texit\t0\n3\n", output)
  end)

  it("that a task forked off ends with the task", function()
    local output = run [[
local pool <close> = futures.ThreadPoolExecutor(1)
print(fork.wait(pool:submit(function()
  return require "fork".fork()
end):result()))]]
    assert.equal("exit\t0\n", output)
  end)

  with_threads("of a child does the same once more", function()
    local output = run [[
local pool <close> = futures.ThreadPoolExecutor(1)
in_child(function()
  local own <close> = futures.ThreadPoolExecutor(1)
  print(own:submit(math.abs, -1):result())
  in_child(function()
    print(pcall(own.submit, own, math.abs, -1))
    local third <close> = futures.ThreadPoolExecutor(1)
    print(third:submit(math.abs, -2):result())
  end)
  print(own:submit(math.abs, -3):result())
end)]]
    local ended = "child\texit\t0\n"
    assert.matches("^1\nfalse\t[^\n]*parent[^\n]*\n2\n" .. ended .. "3\n" .. ended .. "$", output)
  end)
end)
