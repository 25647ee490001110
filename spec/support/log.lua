--- log.lua - a file to which tasks of all workers append what they did
local logs = {}

--- What a task calls: append a line in one piece.
function logs.add(path, line)
  local file = assert(io.open(path, "a"))
  file:write(line, "\n")
  file:close()
end

local methods = {}

--- Return the lines so far.
function methods:lines()
  local lines = {}
  for line in io.lines(self.path) do lines[#lines + 1] = line end
  return lines
end

local meta = { __index = methods, __close = function(self) os.remove(self.path) end }

function logs.new() return setmetatable({ path = os.tmpname() }, meta) end

return logs
