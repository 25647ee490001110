--- thread_pool_submit.lua - what a future is, from submit to its result
local futures = require "futures"

local flag = os.tmpname() -- while this file exists, the task goes on

local function power(base, exponent, path)
  repeat local file <close> = io.open(path) until not file
  return base ^ exponent, "done"
end

--- What a future prints, without its address.
local function show(f) print((tostring(f):gsub("0x%x+", "0x..."))) end

local pool <close> = futures.ThreadPoolExecutor { max_workers = 1 }
local f = pool:submit(power, 2, 10, flag)
local waiting = pool:submit(string.rep, "ab", 2)

repeat until f:running()
show(f)
show(waiting)
print("done yet?", f:done())
os.remove(flag)

print("result:", f:result()) -- waits for it
show(f)
print("done now?", f:done())
print("the next one:", waiting:result())
