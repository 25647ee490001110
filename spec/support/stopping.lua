--- stopping.lua - tasks that run, are stopped, and what became of them
local eventually = require "support.eventually"
local futures = require "futures"
local limits = require "support.limits"
local took = require "support.took"

local stopping = {}

--- Submit, and wait until it runs.
function stopping.start(ex, ...)
  local f = ex:submit(...)
  eventually(function() return f:running() or f:done() end)
  return f
end

--- Submit fn(mark, ...), and wait until it has made a file of the name `mark`.
function stopping.start_marked(ex, fn, ...)
  local mark = os.tmpname()
  os.remove(mark)
  local f = ex:submit(fn, mark, ...)
  eventually(function()
    local file = io.open(mark)
    return file and file:close()
  end)
  os.remove(mark)
  return f
end

--- Stop a future that runs; raise unless it ends as cancelled within so many
-- seconds (0.5 by default, more on slow machines).
function stopping.stop(f, seconds)
  local limit = limits.within(seconds or 0.5)
  assert(f:cancel(true) == true, "cancel(true) did not return true")
  local spent, done = took(futures.wait, { f }, limit)
  assert(#done == 1, ("not stopped after %g s"):format(spent))
  assert(f:cancelled(), "stopped, but it is " .. tostring(f))
end

return stopping
