-- modules.lua - modules in a folder of their own, which workers made later find too

local lfs = require "lfs"

local modules = {}

local path, folder
local written = {}

--- Make the folder and put it into package.path.
function modules.open()
  folder = os.tmpname()
  os.remove(folder)
  assert(lfs.mkdir(folder))
  path = package.path
  package.path = folder .. "/?.lua;" .. path
end

--- Write a file of the folder; return its path.
---@param name string
---@param text string
---@return string
function modules.write(name, text)
  local file <close> = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
  written[name] = true
  return folder .. "/" .. name
end

--- Write a module and require it.
function modules.require(name, text)
  modules.write(name .. ".lua", text)
  return require(name)
end

--- Remove the folder, and the modules from package.loaded.
function modules.close()
  for name in pairs(written) do
    os.remove(folder .. "/" .. name)
    package.loaded[name:gsub("%.lua$", "")] = nil
  end
  lfs.rmdir(folder)
  package.path, written = path, {}
end

return modules
