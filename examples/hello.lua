--- hello.lua - a function runs on another thread, its results come back
local futures = require "futures"

local pool <close> = futures.ThreadPoolExecutor(2) -- at most two workers

local function greet(name)
  return "Hello, " .. name .. "!", #name
end

local world = pool:submit(greet, "world") -- returns at once: a future
local moon = pool:submit(greet, "moon")   -- runs at the same time

print(world:result()) -- waits until it is there; all values that greet returned
print(moon:result())
