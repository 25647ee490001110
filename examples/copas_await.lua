--- copas_await.lua - threads of copas await tasks while others go on
local futures = require "futures"
package.path = package.path .. ";/usr/share/lua/5.2/?.lua" -- where Debian has copas
local copas = require "copas"

local pool <close> = futures.ThreadPoolExecutor(2)
-- To copas this is a socket, from which something can be received when the
-- future is done.
local function await(future)
  future:add_done_callback(function() end) -- so that the descriptor tells
  copas.receive {
    getfd = futures.fd,
    dirty = function() return future:done() end,
    receive = function()
      futures.poll()
      return future:done() or nil, "timeout"
    end,
    close = function() end,
  }
  return future:await()
end

local function count_multiples(n, limit)
  local count = 0
  for i = 1, limit do if i % n == 0 then count = count + 1 end end
  return count
end

local idle, finished = 0, false
copas.addthread(function()
  print("multiples of 7:", await(pool:submit(count_multiples, 7, 100000)))
  repeat await(pool:submit(count_multiples, 9, 100000)) until idle > 3
  print "the loop had time while this thread awaited"
  finished = true
end)
while not finished do
  if not copas.step(0.0001) then idle = idle + 1 end -- false: nothing to do
end
