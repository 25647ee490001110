--- optional.lua - modules that specs use and a system may lack
local optional = {}

--- Debian installs some for older versions of Lua only, which run in 5.4 too.
-- To be appended to package.path.
optional.path = ";/usr/share/lua/5.2/?.lua"

--- Return the module, or nil if it is not there; in CI nothing may be missing.
---@param name string
---@return any
function optional.load(name)
  local path = package.path
  package.path = path .. optional.path
  local found, module = pcall(require, name)
  package.path = path
  if found then return module end
  if os.getenv "CI" then error(module, 2) end
end

return optional
