--- stop_endless.lua - ten tasks without end on five workers, and how they are ended
local futures = require "futures"

local function endless(i)
  while true do pcall(error, i) end -- a loop that would catch any error
end

local pool <close> = futures.ThreadPoolExecutor(5)
local fs = {}
for i = 1, 10 do fs[i] = pool:submit(endless, i) end

--- How many of them answer yes: to running, done, or cancelled.
local function count(method)
  local yes = 0
  for _, f in ipairs(fs) do
    if f[method](f) then yes = yes + 1 end
  end
  return yes
end

repeat until count "running" == 5
print("running: 5, done: " .. count "done")

local refused = 0
for _, f in ipairs(fs) do
  if not f:cancel() then refused = refused + 1 end -- only those that have not started
end
print("running, and not to be cancelled: " .. refused)
print("done: " .. count "done")

for _, f in ipairs(fs) do f:cancel(true) end -- stops those that run
local done, not_done = futures.wait(fs, 60)
print("done: " .. #done .. ", not done: " .. #not_done .. ", cancelled: " .. count "cancelled")
print("the workers go on: " .. pool:submit(function() return "yes" end):result())
