--- context_manager.lua - <close> ends a pool when its block is left
local futures = require "futures"

local function square(x) return x * x end

-- Left in the usual way, the block ends when every task has.
local tasks = {}
do
  local pool <close> = futures.ThreadPoolExecutor()
  for i = 1, 5 do tasks[i] = pool:submit(square, i) end
end
for _, task in ipairs(tasks) do print(task:done(), task:result()) end

-- Left by an error, it cancels what has not started and waits for the rest.
tasks = {}
print(pcall(function()
  local pool <close> = futures.ThreadPoolExecutor(1)
  for i = 1, 1000 do tasks[i] = pool:submit(square, i) end
  error "second thoughts"
end))
local _, unfinished = futures.wait(tasks, 0)
print(#unfinished .. " unfinished")

-- shutdown() does the same without a block. What comes after it is refused.
local pool = futures.ThreadPoolExecutor()
pool:submit(square, 6)
pool:shutdown()
print(pcall(pool.submit, pool, square, 7))
