--- program.lua - where the program of worker processes lies
local core = require "futures.core"

local program = {}

local name = "futures-worker"

local function exists(path)
  local file = io.open(path, "rb")
  return file and file:close() and path
end

local function folder_of(path) return path and path:match "^(.*)/[^/]*$" end

--- Return its path: what FUTURES_WORKER says, or the first of these that is
-- there: beside the module, in libexec/futures of the same installation, beside
-- the host program. Raises, and lists where it looked.
---@return string
function program.find()
  local told = os.getenv "FUTURES_WORKER"
  if told and told ~= "" then return told end
  local places = {}
  local function add(folder, inside)
    if folder then places[#places + 1] = folder .. inside .. "/" .. name end
  end
  local module = folder_of(core.library_path() or package.searchpath("futures.core", package.cpath))
  add(module, "")
  add(module, core.libexec)
  add(folder_of(core.program_path()), "")
  for _, path in ipairs(places) do
    if exists(path) then return path end
  end
  error(("cannot find the program %s for worker processes; looked for:\n\t%s"):format(
    name, table.concat(places, "\n\t")), 0)
end

return program
