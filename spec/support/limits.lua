--- limits.lua - how long things may take here, and how often stress tests try
local limits = {
  slow = tonumber(os.getenv "FUTURES_SLOW") or 1,
  scale = tonumber(os.getenv "FUTURES_SCALE") or 1,
  sanitizer = (os.getenv "FUTURES_SANITIZE" or "") ~= "", -- memory is not as usual
  portable = os.getenv "FUTURES_PORTABLE" == "ON", -- knows no affinity, names no threads
}

--- An upper bound of seconds, loosened for slow machines.
function limits.within(seconds) return seconds * limits.slow end

--- The count of a stress test, at least 1.
function limits.scaled(count) return math.max(1, math.floor(count * limits.scale)) end

return limits
