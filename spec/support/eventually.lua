--- eventually.lua - wait for a condition, never for ever
--
-- Runs no callbacks while it waits.
local limits = require "support.limits"
local system = require "system"

--- Return what condition() returns as soon as that is true; raise if it is not
-- within so many seconds (10 by default, more on slow machines).
return function(condition, seconds)
  local limit = system.monotime() + limits.within(seconds or 10)
  while true do
    local value = condition()
    if value then return value end
    if system.monotime() > limit then error("this did not come about in time", 2) end
    system.sleep(0.001)
  end
end
