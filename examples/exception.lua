--- exception.lua - what a task raises is raised where its result is asked for
local futures = require "futures"

local pool <close> = futures.ThreadPoolExecutor()

-- Any value can be an error; it arrives as it was raised.
local order = pool:submit(function(item)
  error { code = 404, item = item }
end, "unicorn")

local ok, problem = pcall(order.result, order)
print(ok, problem.code, problem.item)

-- exception() returns it instead. Messages name file and line, as ever.
local sum = pool:submit(function(prices)
  return prices.tea + prices.milk
end, { tea = 3 })

print(sum:exception())
print(sum:traceback():find("stack traceback:", 1, true) ~= nil) -- of the worker

-- Errors of the library have classes.
local never = futures.Future() -- nobody completes this one
ok, problem = pcall(never.result, never, 0.01)
print(ok, futures.isinstance(problem, futures.TimeoutError), problem)
