--- threads.lua - the threads of this process, as the system sees them
local lfs = require "lfs"

local threads = {}

local folder = "/proc/self/task"

--- Whether this system tells.
threads.known = lfs.attributes(folder, "mode") == "directory"

local function read(path)
  local file = io.open(path)
  if not file then return end -- it has ended meanwhile
  local text = file:read "a"
  file:close()
  return text
end

-- Iterate over number and name of each thread.
local function each()
  local list = {}
  for id in lfs.dir(folder) do
    local name = id:find "^%d+$" and read(("%s/%s/comm"):format(folder, id))
    if name then list[id] = name:gsub("\n", "") end
  end
  return pairs(list)
end

function threads.count()
  local count = 0
  for _ in each() do count = count + 1 end
  return count
end

--- Return how many threads there are of each name.
function threads.names()
  local names = {}
  for _, name in each() do names[name] = (names[name] or 0) + 1 end
  return names
end

-- Sum up what get(text of a file) returns for each thread but the main one, or
-- for those whose name matches.
local function sum(pattern, file, get)
  local total, found = 0, false
  local main = lfs.symlinkattributes("/proc/self", "target")
  for id, name in each() do
    if pattern and name:find("^" .. pattern .. "$") or not pattern and id ~= main then
      total = total + get(read(("%s/%s/%s"):format(folder, id, file)) or "")
      found = true
    end
  end
  return found and total or error "there is no such thread"
end

--- Whether all threads but the main one, or whose names match, sleep.
function threads.sleeping(pattern)
  return sum(pattern, "stat", function(text) return text:find "%) S" and 0 or 1 end) == 0
end

--- Return how often the threads whose names match have gone to sleep so far.
function threads.switches(pattern)
  return sum(pattern, "status", function(text)
    return tonumber(text:match "\nvoluntary_ctxt_switches:%s*(%d+)") or 0
  end)
end

return threads
