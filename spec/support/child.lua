--- child.lua - scripts that run in an interpreter of their own
local limits = require "support.limits"
local system = require "system"

local child = {}

local methods = {}

local running = {} -- the scripts that have not come to their end

--- Read the next line.
function methods:line() return self.pipe:read "l" end

--- Send a signal: "INT".
function methods:signal(name)
  assert(os.execute(("kill -%s %d"):format(name, self.pid)))
end

--- Wait until the main thread of the script sleeps in the kernel.
function methods:asleep()
  local limit = system.monotime() + limits.within(10)
  repeat
    local file = io.open(("/proc/%d/stat"):format(self.pid))
    local state = file and file:read "a":match "%) (%a)"
    if file then file:close() end
    if state == "S" or not file then return end
    system.sleep(0.001)
  until system.monotime() > limit
  error("the script does not sleep", 2)
end

--- Wait for its end; return what it printed (errors as well), "exit" or
-- "signal", and the number of that.
function methods:finish()
  local output = self.pipe:read "a"
  local _, how, code = self.pipe:close()
  running[self] = nil
  os.remove(self.script)
  return output, how, code
end

--- Start a script. Options: `shell`, a command to run before in the same
-- process ("ulimit -v 1000"); `wrapper`, one that starts the interpreter
-- ("taskset -c 0"); WORD, what is put in its place in the script.
function child.start(script, options)
  options = options or {}
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write((script:gsub("%u+", options)))
  file:close()
  local shell = options.shell and options.shell .. " &&" or ""
  local wrapper = options.wrapper or ""
  local command = [[echo $$; %s exec %s "$LUA" '%s' 2>&1]]
  local pipe = assert(io.popen(command:format(shell, wrapper, path)))
  local pid = math.tointeger(pipe:read "n")
  pipe:read "l"
  local self = setmetatable({ pipe = pipe, pid = pid, script = path }, { __index = methods })
  running[self] = true
  return self
end

--- End the scripts that a spec which failed has left behind.
function child.end_all()
  for script in pairs(running) do
    script:signal "KILL"
    script:finish()
  end
end

--- Run a script to its end; return as finish() does.
function child.run(script, options) return child.start(script, options):finish() end

return child
