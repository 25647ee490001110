--- process_pool_map.lua - calls spread over processes, each with its number
local futures = require "futures"

local function pid()
  local stat <close> = io.open "/proc/self/stat"
  return stat:read "n"
end

local function square(n)
  local stat <close> = io.open "/proc/self/stat"
  return n * n, stat:read "n"
end

local pool <close> = futures.ProcessPoolExecutor(2)
local workers, count = {}, 0
for i, result, worker in pool:map(square, { 1, 2, 3, 4, 5 }) do
  print(i, result)
  if not workers[worker] then count = count + 1 end
  workers[worker] = true
end
print("at most two processes:", count >= 1 and count <= 2)
print("this one among them:", workers[pid()] or false)
