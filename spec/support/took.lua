--- took.lua - how many seconds a call takes: took(fn, ...) -> seconds, results
local system = require "system"

return function(fn, ...)
  local start = system.monotime()
  local results = table.pack(fn(...))
  return system.monotime() - start, table.unpack(results, 1, results.n)
end
