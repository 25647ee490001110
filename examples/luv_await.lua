--- luv_await.lua - coroutines await tasks while luv's loop goes on
local futures = require "futures"
local uv = require "luv"

local pool <close> = futures.ThreadPoolExecutor(2)

-- The loop polls whenever there is something to do.
local ready = uv.new_poll(futures.fd())
ready:start("r", function() futures.poll() end)

-- A callback of the future resumes the coroutine that awaits it.
local function await(future)
  local co = coroutine.running()
  future:add_done_callback(function()
    if coroutine.status(co) == "suspended" then assert(coroutine.resume(co)) end
  end)
  return future:await()
end

local function count_multiples(n, limit)
  local count = 0
  for i = 1, limit do if i % n == 0 then count = count + 1 end end
  return count
end

local rang = false
local timer = uv.new_timer()
timer:start(20, 0, function() rang = true end)

coroutine.wrap(function()
  print("multiples of 7:", await(pool:submit(count_multiples, 7, 100000)))
  repeat await(pool:submit(count_multiples, 9, 1000)) until rang
  print "the timer rang while this coroutine awaited"
  ready:close()
  timer:close()
end)()

uv.run()
