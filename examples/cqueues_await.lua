--- cqueues_await.lua - coroutines await tasks while those of cqueues go on
local futures = require "futures"
local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local pool <close> = futures.ThreadPoolExecutor(2)
local loop, finished = cqueues.new(), condition.new()
local rang, working = false, true

-- In this loop coroutines wait for conditions: the future signals one.
local function await(future)
  local done = condition.new()
  future:add_done_callback(function() done:signal() end)
  while not future:done() do done:wait() end
  return future:await()
end

local function count_multiples(n, limit)
  local count = 0
  for i = 1, limit do if i % n == 0 then count = count + 1 end end
  return count
end

loop:wrap(function() -- polls whenever there is something to do
  local ready = { pollfd = futures.fd(), events = "r" }
  repeat cqueues.poll(ready, finished) until futures.poll() == 0 and not working
end)
loop:wrap(function()
  cqueues.sleep(0.02)
  rang = true
end)
loop:wrap(function()
  print("multiples of 7:", await(pool:submit(count_multiples, 7, 100000)))
  repeat await(pool:submit(count_multiples, 9, 1000)) until rang
  print "the timer rang while this coroutine awaited"
  working = false
  finished:signal()
end)
assert(loop:loop())
