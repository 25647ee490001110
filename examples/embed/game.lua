--- game.lua - units that look for their ways; loaded by game.c as script(with_pool)
local futures = require "futures"
local map = require "map" -- the host's own library, in the workers' states too

local with_pool = ...
local pool -- leaves a CPU to the game
if with_pool then pool = futures.ThreadPoolExecutor(math.max(1, futures.cpu_count() - 1)) end

local UNITS_A_WAVE, WAVE_EVERY = 300, 15 -- frames

local seed = 1
local function random(limit)
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return (seed >> 8) % limit
end

local function free_cell()
  while true do
    local x, y = random(map.width), random(map.height)
    if map.free(x, y) then return x, y end
  end
end

local asked, found, steps = 0, 0, 0

local function arrived(path)
  found = found + 1
  steps = steps + path
end

--- A unit wants to go somewhere.
local function go()
  local x, y = free_cell()
  local goal_x, goal_y = free_cell()
  asked = asked + 1
  if pool then
    local f = pool:submit(map.path, x, y, goal_x, goal_y)
    f:add_done_callback(function() arrived(f:result()) end)
  else
    arrived(map.path(x, y, goal_x, goal_y))
  end
end

local game = {}

--- What happens once a frame. It never waits: what has come meanwhile is told.
function game.frame(number)
  futures.poll()
  if number % WAVE_EVERY == 0 then
    for _ = 1, UNITS_A_WAVE do go() end
  end
end

--- The game is over: wait for the rest.
function game.finish()
  if pool then pool:shutdown() end
  return ("%d of %d ways found, %d steps"):format(found, asked, steps)
end

return game
