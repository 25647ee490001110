--- gate.lua - where tasks wait until a spec lets them pass
--
-- A gate is a fifo that the spec holds open at both ends: each byte in it lets
-- one task pass. Declare it after the executor, so that a spec that fails
-- leaves no task behind for which the executor would wait:
--
--   local ex <close> = futures.ThreadPoolExecutor(1)
--   local gate <close> = gates.new()
--   local f = ex:submit(gates.pass, gate.path, "result")
local gates = {}

local methods = {}

-- Never closed by hand: a task may be on its way to a gate that is removed.
local files = {}

--- What a task calls: wait at the gate, then return the other arguments.
function gates.pass(path, ...)
  local file = assert(io.open(path, "r"))
  file:setvbuf "no" -- take one byte only
  file:read(1)
  file:close()
  return ...
end

--- Let so many tasks pass, now or when they come; one by default.
function methods:open(count)
  self.file:write(("x"):rep(count or 1))
  self.file:flush()
end

--- Let everybody pass, and end it.
function methods:close()
  os.remove(self.path)
  self:open(2000)
end

local meta = { __index = methods, __close = methods.close }

function gates.new()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute(("mkfifo '%s'"):format(path)))
  local file = assert(io.open(path, "r+"))
  files[#files + 1] = file
  return setmetatable({ path = path, file = file }, meta)
end

return gates
