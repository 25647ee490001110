--- process_pool_death.lua - a worker is killed, and the error that follows
local futures = require "futures"

--- End the own process by a signal, as a crash of some C library would.
local function hang_up()
  local stat <close> = io.open "/proc/self/stat"
  os.execute("kill -HUP " .. stat:read "n")
  while true do end -- until it arrives
end

local pool <close> = futures.ProcessPoolExecutor(1)
print("before", pool:submit(function() return "fine" end):result())

local victim = pool:submit(hang_up)
local waiting = pool:submit(function() return "never started" end)

local err = victim:exception()
print("victim", futures.isinstance(err, futures.BrokenProcessPool))
print("victim", (err.message:gsub("%d+", "N", 1)))
print("waiting", (waiting:exception().message:gsub("%d+", "N", 1)))

local ok, refusal = pcall(pool.submit, pool, hang_up)
print("submit", ok, (refusal.message:gsub("%d+", "N", 1)))
