--- executors.lua - every kind of executor, for specs that hold for all of them
local futures = require "futures"

--- `make(workers)` makes one; `serial` says that it runs a task at once, so that
-- nothing ever waits in it.
return {
  { name = "ThreadPoolExecutor", make = function(workers)
    return futures.ThreadPoolExecutor(workers or 2)
  end },
  { name = "ThreadPoolExecutor with max_pending", make = function(workers)
    return futures.ThreadPoolExecutor { max_workers = workers or 2, max_pending = 1000 }
  end },
  { name = "ProcessPoolExecutor", make = function(workers)
    return futures.ProcessPoolExecutor(workers or 2)
  end },
  { name = "SerialExecutor", serial = true, make = function()
    return futures.SerialExecutor()
  end },
}
