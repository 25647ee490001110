local futures = require "futures"
local child = require "support.child"
local eventually = require "support.eventually"
local limits = require "support.limits"
local processes = require "support.processes"

after_each(child.end_all)

local script = [[
local futures = require "futures"
local ex = futures.ProcessPoolExecutor(2)
local function pid()
  local file <close> = io.open("/proc/self/stat", "r")
  return file:read "n"
end
local function forever(path)
  local file = io.open(path, "w")
  file:write(pid())
  file:close()
  while true do end
end
local names = { os.tmpname(), os.tmpname() }
local idle = ex:submit(pid):result()
for i = 1, MANY do ex:submit(forever, names[i]) end
for i = 1, MANY do
  local number
  repeat
    local file = io.open(names[i])
    number = file:read "n"
    file:close()
  until number
  os.remove(names[i])
  print(number)
end
if MANY == 0 then print(idle) end
io.stdout:flush()
END
]]

local WAIT = "futures.Future():result()" -- for ever

describe("the workers of a process pool", function()
  local function ended(options, signal)
    local running = child.start(script, options)
    local pids = {}
    for i = 1, math.max(1, options.MANY) do pids[i] = math.tointeger(tonumber(running:line())) end
    if signal then
      for _, pid in ipairs(pids) do assert.is_true(processes.alive(pid)) end
      running:signal(signal)
    end
    for _, pid in ipairs(pids) do processes.gone(pid, 2) end
    running:finish()
  end

  it("end when their parent is killed, also in the middle of a task", function()
    ended({ MANY = 2, END = WAIT }, "KILL")
    ended({ MANY = 0, END = WAIT }, "KILL")
  end)

  it("end when their parent is terminated", function()
    ended({ MANY = 2, END = WAIT }, "TERM")
  end)

  it("end when their parent calls os.exit", function()
    ended { MANY = 2, END = "os.exit(3)" }
  end)

  it("end when their parent is killed that has other children", function()
    ended({ MANY = 2, END = [[os.execute "sleep 5 &" ]] .. WAIT }, "KILL")
  end)

  it("finish what was submitted when the script just ends", function()
    local output = child.run [[
      local futures = require "futures"
      local ex = futures.ProcessPoolExecutor(2)
      for i = 1, 20 do
        ex:submit(function(x) return x end, i):add_done_callback(function(f) print(f:result()) end)
      end
    ]]
    local count = 0
    for _ in output:gmatch "%d+" do count = count + 1 end
    assert.equal(20, count)
  end)

  it("are not reached by Ctrl-C, which ends the wait of the script", function()
    local running = child.start [[
      local futures = require "futures"
      local ex = futures.ProcessPoolExecutor(1)
      local f = ex:submit(function() while true do end end)
      while not f:running() do end
      print "ready"
      io.stdout:flush()
      print(pcall(f.result, f))
      ex:kill_workers()
    ]]
    assert.equal("ready", running:line())
    running:asleep()
    for _, pid in ipairs(processes.children()) do assert.is_true(pid > 0) end
    running:signal "INT"
    local output = running:finish()
    assert.matches("false%s+.*interrupted!", output)
  end)
end)

describe("200 process pools in a row", function()
  it("leave no child, no descriptor and no growing memory", function()
    local function use()
      local ex <close> = futures.ProcessPoolExecutor(2)
      assert.equal(2, ex:submit(function() return 2 end):result())
    end
    local function resident()
      local file <close> = assert(io.open("/proc/self/statm", "r"))
      file:read "n"
      return file:read "n" * 4096
    end
    local count = limits.scaled(200)
    futures.wait({ futures.Future() }, 0.2) -- a long wait has descriptors of its own
    for _ = 1, count do use() end -- the C library keeps some memory for later
    collectgarbage()
    collectgarbage()
    local descriptors, memory = processes.descriptors(), resident()
    for _ = 1, count do use() end
    collectgarbage()
    collectgarbage()
    assert.same({}, processes.children())
    -- the last thread of a pool may let go of it a moment later
    eventually(function() return processes.descriptors() <= descriptors end)
    local grown = resident() - memory
    if not limits.sanitizer then assert.is_true(grown < 3e6, grown) end
  end)
end)
