-- process_batch_spec.lua - tasks that are submitted one after another to processes,
-- by a program that does not wait
local eventually = require "support.eventually"
local futures = require "futures"
local gates = require "support.gate"
local logs = require "support.log"
local system = require "system"

local function now() return require "system".monotime() end

describe("tasks that are submitted without a wait", function()
  it("start beside long ones, though the program calls nothing then", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local gate <close> = gates.new()
    local log <close> = logs.new()
    local ran = 0
    for round = 1, 100 do
      for _ = 1, round % 25 do
        ex:submit(logs.add, log.path, "quick")
        ran = ran + 1
      end
      local long = ex:submit(gates.pass, gate.path)
      for _ = 1, round % 7 do
        ex:submit(logs.add, log.path, "short")
        ran = ran + 1
      end
      eventually(function() return #log:lines() == ran end)
      gate:open()
      if round % 2 == 0 then long:result() end
    end
  end)

  it("start while another worker is stopped by a signal", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    local pids = {}
    local function pid() require "system".sleep(0.02) return io.open "/proc/self/stat":read "n" end
    if not io.open "/proc/self/stat" then return pending "needs /proc/self/stat" end
    for round = 1, 10 do pids[round] = ex:submit(pid) end
    for round = 1, 10 do pids[round] = pids[round]:result() end
    for round = 1, 5 do
      local log <close> = logs.new()
      local stopped = pids[round]
      for _ = 1, 3 do ex:submit(logs.add, log.path, "one") end
      os.execute("kill -STOP " .. stopped)
      -- it may have one, and another that it was about to take
      for _ = 1, 20 do ex:submit(logs.add, log.path, "one") end
      eventually(function() return #log:lines() >= 21 end)
      os.execute("kill -CONT " .. stopped)
      eventually(function() return #log:lines() == 23 end)
    end
  end)

  it("overtake all that are less urgent, however many wait", function()
    local ex <close> = futures.ProcessPoolExecutor(2)
    for _ = 1, 4 do ex:submit(now):result() end
    local low = ex:options { priority = -1 }
    local function slow() require "system".sleep(0.002) return require "system".monotime() end
    local fs = {}
    for i = 1, 1500 do fs[i] = low:submit(slow) end
    futures.wait({ fs[1] })
    local began = {}
    for round = 1, 6 do
      fs[1500 + round] = low:submit(slow)
      local submitted = system.monotime()
      local f = ex:submit(now)
      system.sleep(0.2) -- so that nobody waits for it
      began[round] = { submitted, f:result() }
    end
    local ends = {}
    for i = 1, #fs do ends[i] = fs[i]:result() end
    local between = 0
    for round = 1, 6 do
      for i = 1, #fs do
        if ends[i] > began[round][1] and ends[i] < began[round][2] then between = between + 1 end
      end
    end
    -- what ran meanwhile, be the machine slow; a step later it is up to 50
    assert.is_true(between < 40, between)
  end)
end)
