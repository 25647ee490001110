--- future_callback.lua - callbacks run in order, at safe points of this thread
local futures = require "futures"

-- what callbacks raise comes here
function futures.on_callback_error(err, future)
  print("a callback of " .. future.label .. " failed:", (err:gsub("^.*/", "")))
end

local pool <close> = futures.ThreadPoolExecutor(2)

local f = pool:submit(function(name) return "hello, " .. name end, "callback")
f.label = "greeting" -- a future takes fields of yours

f:add_done_callback(function(future)
  print("first callback:", future.label, future:result(0))
end)
f:add_done_callback(function() error "oops" end) -- does not stop the others
f:add_done_callback(function(future)
  print("third callback:", future:done())
  future:add_done_callback(function() print("added to a future that is done") end)
end)

futures.wait { f } -- a safe point: when it returns, the callbacks have run
print("after wait")
f:add_done_callback(function() print("at once") end)
