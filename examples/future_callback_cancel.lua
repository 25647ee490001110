--- future_callback_cancel.lua - a cancelled future is done, and tells its callbacks
local futures = require "futures"

local flag = os.tmpname() -- while this file exists, the first task goes on

local function wait_for_removal(path)
  repeat local file <close> = io.open(path) until not file
end

local pool <close> = futures.ThreadPoolExecutor(1)
local first = pool:submit(wait_for_removal, flag)
local second = pool:submit(function() return "never runs" end)

local function report(f)
  if f:cancelled() then
    print(f.name, "was cancelled")
  else
    print(f.name, "has ended, error:", f:exception())
  end
end

for name, f in pairs { first = first, second = second } do
  f.name = name
  f:add_done_callback(report)
end

repeat until first:running()
print("cancel the first:", first:cancel()) -- too late
print("cancel the second:", second:cancel())
os.remove(flag)
first:result()
