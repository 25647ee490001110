--- executors.lua - every kind of executor, for specs that hold for all of them
local futures = require "futures"

--- `make(options)` makes one with a number of workers (2 by default) or a table of
-- options, `one(options)` one that has a single state; `broken` is the class of its
-- errors when it is broken; `serial` says that it runs a task at once, so that
-- nothing ever waits in it and it has no workers.
local function kind(class)
  local serial = class == "SerialExecutor"
  return {
    name = class,
    serial = serial,
    broken = serial and "BrokenExecutor" or class:gsub("Executor", ""):gsub("^", "Broken"),
    make = function(options) return futures[class](options or 2) end,
    one = function(options)
      options.max_workers = 1
      return futures[class](options)
    end,
  }
end

local executors = {
  kind "ThreadPoolExecutor",
  { name = "ThreadPoolExecutor with max_pending", make = function(workers)
    return futures.ThreadPoolExecutor { max_workers = workers or 2, max_pending = 1000 }
  end },
  kind "ProcessPoolExecutor",
  kind "SerialExecutor",
}

--- One of each class.
executors.classes = { executors[1], executors[3], executors[4] }

--- Those in which tasks may wait.
executors.pools = { executors[1], executors[3] }

return executors
