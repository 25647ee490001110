local futures = require "futures"
local eventually = require "support.eventually"
local limits = require "support.limits"
local processes = require "support.processes"

local tasks = limits.scaled(20000)

--- Return the workers of this process, by their names.
local function workers()
  local found = {}
  for _, pid in ipairs(processes.children()) do
    if processes.alive(pid) then found[#found + 1] = pid end
  end
  return found
end

describe("a process pool in respawn mode", function()
  for _, count in ipairs { 1, 2, 16 } do
    it(("with %d workers survives random signals to them"):format(count), function()
      -- what the first pool and the first long wait make stays
      do
        local ex <close> = futures.ProcessPoolExecutor(1)
        ex:submit(function() end):result()
      end
      futures.poll(0.3)
      local before = processes.descriptors()
      local kills, failures = 0, 0
      do
        local ex <close> = futures.ProcessPoolExecutor {
          max_workers = count, on_worker_death = "respawn",
        }
        local fs = {}
        local stopped = {}
        local every = math.max(1, tasks // 40)
        for i = 1, tasks do
          -- some are large, most are small
          local text = i % 500 == 0 and ("x"):rep(300000) or "y"
          fs[i] = ex:submit(function(n, s) return 2 * n, s end, i, text)
          if i % every == 0 then
            for pid in pairs(stopped) do processes.signal("CONT", pid) end
            stopped = {}
            local all = workers()
            local pid = all[math.random(#all)]
            if pid then
              local dice = math.random(3)
              if dice == 1 then
                processes.signal("STOP", pid)
                stopped[pid] = true
              else
                if processes.signal("KILL", pid) then kills = kills + 1 end
              end
            end
          end
        end
        for pid in pairs(stopped) do processes.signal("CONT", pid) end
        for i = 1, tasks do
          local err = fs[i]:exception(120)
          if err then
            assert.is_true(futures.isinstance(err, futures.BrokenProcessPool))
            failures = failures + 1
          else
            local n, s = fs[i]:result()
            assert.equal(2 * i, n)
            assert.equal(i % 500 == 0 and 300000 or 1, #s)
          end
        end
      end
      assert.is_true(failures <= kills, ("%d failures, %d kills"):format(failures, kills))
      assert.same({}, processes.children())
      collectgarbage()
      eventually(function() return processes.descriptors() <= before end)
    end)
  end
end)
