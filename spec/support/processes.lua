--- processes.lua - processes as a spec sees them from outside
local limits = require "support.limits"
local system = require "system"

local processes = {}

--- What a task calls: the number of its process.
function processes.pid()
  local file <close> = assert(io.open("/proc/self/stat", "r"))
  return file:read "n"
end

--- Return the state of a process as one letter, nil when there is none.
function processes.state(pid)
  local file = io.open(("/proc/%d/stat"):format(pid), "r")
  local text = file and file:read "a"
  if file then file:close() end
  return text and text:match "%) (%a)"
end

--- Whether a process is there and has not ended.
function processes.alive(pid)
  local state = processes.state(pid)
  return state ~= nil and state ~= "Z" and state ~= "X"
end

--- Send a signal: "KILL".
function processes.signal(name, pid)
  return (os.execute(("kill -%s %d 2>/dev/null"):format(name, pid)))
end

--- Return the numbers of the children that this process has, zombies too.
function processes.children()
  local children = {}
  local own = processes.pid()
  local pipe <close> = assert(io.popen "exec cat /proc/[0-9]*/stat 2>/dev/null")
  for line in pipe:lines() do
    local pid, name, parent = line:match "^(%d+) (%b()) %a (%d+)"
    if tonumber(parent) == own and name ~= "(cat)" and name ~= "(sh)" then
      children[#children + 1] = math.tointeger(tonumber(pid))
    end
  end
  return children
end

--- Return how many descriptors this process has open.
function processes.descriptors()
  local pipe <close> = assert(io.popen "ls /proc/$PPID/fd | wc -l")
  return pipe:read "n"
end

--- Return the user and system time of a process in seconds.
function processes.seconds(pid)
  local file <close> = assert(io.open(("/proc/%d/stat"):format(pid), "r"))
  local fields = file:read("a"):match "%) (.*)$"
  local values = {}
  for value in fields:gmatch "%S+" do values[#values + 1] = value end
  return (values[12] + values[13]) / 100
end

--- Wait until a process has ended.
function processes.gone(pid, seconds)
  local limit = system.monotime() + limits.within(seconds or 10)
  while processes.alive(pid) do
    if system.monotime() > limit then error("the process does not end", 2) end
    system.sleep(0.002)
  end
end

return processes
