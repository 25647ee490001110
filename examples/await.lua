--- await.lua - coroutines take turns while tasks run on other threads
local futures = require "futures"

local pool <close> = futures.ThreadPoolExecutor(2)

local function square(x) return x * x end
local function add(...)
  local sum = 0
  for _, x in ipairs { ... } do sum = sum + x end
  return sum
end

-- Reads like a plain program; at each await other coroutines go on.
local function length(...)
  local squares = {}
  for i, x in ipairs { ... } do squares[i] = pool:submit(square, x) end
  for i, future in ipairs(squares) do squares[i] = future:await() end
  return math.sqrt(pool:submit(add, table.unpack(squares)):await())
end

print("two vectors:", futures.run(function()
  local a = futures.spawn(length, 3, 4)       -- starts as soon as we await
  local b = futures.spawn(length, 2, 3, 6)
  return a:await(), b:await()
end))

-- An error arrives where somebody awaits.
print("an error:", futures.run(function()
  local f = futures.spawn(length, 1, {})
  return (select(2, pcall(f.await, f)):gsub("^.-:%d+: ", ""))
end))
