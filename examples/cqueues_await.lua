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

local function double(x) return 2 * x end

loop:wrap(function() -- polls whenever there is something to do
  local ready = { pollfd = futures.fd(), events = "r" }
  while working do
    cqueues.poll(ready, finished)
    futures.poll()
  end
end)
loop:wrap(function()
  cqueues.sleep(0.02)
  rang = true
end)
loop:wrap(function()
  print("twice 21:", await(pool:submit(double, 21)))
  repeat await(pool:submit(double, 1)) until rang
  print "the timer rang while this coroutine awaited"
  working = false
  finished:signal()
end)
assert(loop:loop())
