--- cancel.lua - a task can be cancelled as long as it has not started
local futures = require "futures"

local flag = os.tmpname() -- while this file exists, the first task goes on

local function wait_for_removal(path)
  repeat local file <close> = io.open(path) until not file
  return "went on to its end"
end

local pool <close> = futures.ThreadPoolExecutor(1)
local first = pool:submit(wait_for_removal, flag)
local second = pool:submit(function() return "never happens" end)

repeat until first:running()
print("cancel the first task:", first:cancel())   -- too late, it runs
print("cancel the second task:", second:cancel()) -- it waits for the worker
os.remove(flag)

print("the first task:", first:result())
print("the second task:", pcall(second.result, second))
print("cancelled:", first:cancelled(), second:cancelled())
print("done:", first:done(), second:done())
