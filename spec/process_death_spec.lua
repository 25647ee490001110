local futures = require "futures"
local eventually = require "support.eventually"
local gates = require "support.gate"
local processes = require "support.processes"
local system = require "system"

local pid = processes.pid

--- What a task calls: end its process by a signal.
local function killed(name)
  local file <close> = assert(io.open("/proc/self/stat", "r"))
  os.execute(("kill -%s %d"):format(name, file:read "n"))
  while true do end -- until it comes
end

local function broken(err) return futures.isinstance(err, futures.BrokenProcessPool) end

describe("the death of a worker", function()
  it("breaks the pool: everything unfinished fails, and says who died and how", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local gate <close> = gates.new()
    local process = ex:submit(pid):result()
    local other = ex:submit(gates.pass, gate.path)
    eventually(function() return other:running() end)
    local doom <close> = gates.new()
    local victim = ex:submit(function(pass, path, kill)
      pass(path)
      kill "ALRM"
    end, gates.pass, doom.path, killed)
    local waiting = {}
    for i = 1, 700 do waiting[i] = ex:submit(gates.pass, gate.path) end
    doom:open()
    local err = victim:exception(60)
    assert.is_true(broken(err))
    assert.matches("^worker %d+ killed by signal 14$", err.message)
    assert.equal(err.message, other:exception(60).message)
    for _, f in ipairs(waiting) do assert.equal(err.message, f:exception(60).message) end
    local ok, refusal = pcall(ex.submit, ex, pid)
    assert.is_false(ok)
    assert.is_true(broken(refusal))
    assert.equal(err.message, refusal.message)
    ex:shutdown()
    assert.is_false(processes.alive(process))
  end)

  it("by os.exit is told with the code", function()
    for code = 0, 3 do
      local ex <close> = futures.ProcessPoolExecutor(1)
      local f = ex:submit(function() os.exit(code) end)
      local err = f:exception(60)
      assert.is_true(broken(err))
      assert.matches("^worker %d+ exited with code " .. code .. "$", err.message)
    end
  end)

  it("of an idle one is noticed at once", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local process = ex:submit(pid):result()
    processes.signal("KILL", process)
    local err
    eventually(function()
      local ok, problem = pcall(ex.submit, ex, pid)
      if ok then problem = problem:exception(60) end
      err = broken(problem) and problem
      return err
    end)
    assert.equal(("worker %d killed by signal 9"):format(process), err.message)
  end)

  it("wakes a wait that has no limit", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local gate <close> = gates.new()
    local process = ex:submit(pid):result()
    local f = ex:submit(gates.pass, gate.path)
    eventually(function() return f:running() end)
    os.execute(("{ sleep 0.1; kill -KILL %d; } &"):format(process))
    assert.is_true(broken(f:exception()))
  end)

  it("while a large call is on its way is no hang", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    local process = ex:submit(pid):result()
    processes.signal("STOP", process)
    local f = ex:submit(function(s) return #s end, ("x"):rep(4000000))
    processes.signal("KILL", process)
    assert.is_true(broken(f:exception(60)))
  end)

  it("while a large result is on its way is no hang", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 1, on_worker_death = "respawn" }
    for _ = 1, 5 do
      local f = ex:submit(function()
        local file <close> = io.open("/proc/self/stat", "r")
        os.execute(("{ sleep 0.0%d; kill -KILL %d; } &"):format(math.random(1, 9), file:read "n"))
        local text = ("x"):rep(1000000)
        local all = {}
        for i = 1, 60 do all[i] = text .. i end
        return table.unpack(all)
      end)
      f:exception(60)
      assert.is_true(f:done())
    end
    assert.equal(1, ex:submit(function() return 1 end):result(60))
  end)

  it("before its first task says so", function()
    local ex <close> = futures.ProcessPoolExecutor { max_workers = 1, initializer = os.exit }
    local f = ex:submit(pid)
    assert.is_true(broken(f:exception(60)))
  end)
end)

describe("with respawn, the death of a worker", function()
  local function respawning(workers)
    return futures.ProcessPoolExecutor { max_workers = workers, on_worker_death = "respawn" }
  end

  it("fails only the task that it ran", function()
    local ex <close> = respawning(2)
    local fs = {}
    for i = 1, 300 do
      fs[i] = i % 100 == 50 and ex:submit(killed, "KILL") or ex:submit(function() return i end)
    end
    for i = 1, 300 do
      local err = fs[i]:exception(60)
      if i % 100 == 50 then
        assert.is_true(broken(err))
        assert.matches("killed by signal 9", err.message)
      else
        assert.is_nil(err)
        assert.equal(i, fs[i]:result())
      end
    end
  end)

  it("while it is idle costs no task", function()
    local ex <close> = respawning(1)
    for _ = 1, 5 do
      local process = ex:submit(pid):result(60)
      processes.signal("KILL", process)
      processes.gone(process)
      assert.not_equal(process, ex:submit(pid):result(60))
    end
  end)

  it("again and again at its start breaks the pool with the reason", function()
    local ex <close> = futures.ProcessPoolExecutor {
      max_workers = 2, on_worker_death = "respawn",
      initializer = function() os.exit(5) end,
    }
    local err = ex:submit(pid):exception(60)
    assert.is_true(broken(err))
    assert.matches("exited with code 5", err.message)
    assert.is_false(pcall(ex.submit, ex, pid))
  end)
end)

describe("a stopped worker", function()
  it("holds up nothing but its own task", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local gate <close> = gates.new()
    local first = ex:submit(gates.pass, gate.path, 1)
    local process = ex:submit(pid):result()
    gate:open()
    first:result()
    processes.signal("STOP", process)
    local fs = {}
    for i = 1, 1000 do fs[i] = ex:submit(function() return i end) end
    local late = 0
    for i = 1, 1000 do late = late + (pcall(fs[i].result, fs[i], 30) and 0 or 1) end
    assert.is_true(late <= 1)
    processes.signal("CONT", process)
    for i = 1, 1000 do assert.equal(i, fs[i]:result(60)) end
  end)

  it("that was idle is not waited for", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local process = ex:submit(pid):result()
    processes.signal("STOP", process)
    eventually(function() return processes.state(process) == "T" end)
    local f = ex:submit(function() return "elsewhere" end)
    local before = system.monotime()
    assert.equal("elsewhere", f:result(60))
    assert.is_true(system.monotime() - before < 30)
    processes.signal("CONT", process)
  end)
end)

describe("terminate_workers and kill_workers", function()
  for name, signal in pairs { terminate_workers = 15, kill_workers = 9 } do
    it(("(%s) end all workers, cancel what waits, fail what runs"):format(name), function()
      local ex <close> = futures.ProcessPoolExecutor(1)
      local gate <close> = gates.new()
      local process = ex:submit(pid):result()
      local running = ex:submit(gates.pass, gate.path)
      local waiting = ex:submit(gates.pass, gate.path)
      eventually(function() return running:running() end)
      ex[name](ex)
      assert.is_true(waiting:cancelled())
      local err = running:exception(60)
      assert.is_true(broken(err))
      assert.equal(("worker %d killed by signal %d"):format(process, signal), err.message)
      local ok, refusal = pcall(ex.submit, ex, pid)
      assert.is_false(ok)
      assert.equal("cannot schedule new futures after shutdown", refusal.message)
      ex[name](ex)
      ex:shutdown()
      assert.is_false(processes.alive(process))
    end)
  end

  it("do nothing before the start", function()
    local ex <close> = futures.ProcessPoolExecutor(1)
    ex:kill_workers()
    ex:terminate_workers()
  end)
end)
