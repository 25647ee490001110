-- mod_futures.lua - a module of prosody, which loads it and then forks: it says
-- before and after what can be used
module:set_global()
local futures = require "futures"
local process = require "util.pposix".getpid

local report = assert(io.open(module:get_option_string "futures_report", "w"))
report:setvbuf "line"

local old = futures.ThreadPoolExecutor(1)
local lost = old:submit(function() while true do end end)
report:write("before ", process(), "\n")

module:hook("server-started", function()
  report:write("after ", process(), "\n")
  report:write(select(2, pcall(old.submit, old, math.abs, -1)).message, "\n")
  report:write(select(2, pcall(lost.result, lost)).message, "\n")
  local new <close> = futures.ThreadPoolExecutor(2)
  report:write("sum ", new:submit(function(a, b) return a + b end, 40, 2):result(), "\n")
  require "util.timer".add_task(0, function() prosody.shutdown "that was all" end)
end, -10) -- after it has forked
