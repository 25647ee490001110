--- optional.lua - modules that specs use and a system may lack

--- Debian installs some for older versions of Lua only, which run in 5.4 too.
local older = ";/usr/share/lua/5.2/?.lua"

--- Return the module, or nil if it is not there; in CI nothing may be missing.
---@param name string
---@return any
return function(name)
  local path = package.path
  package.path = path .. older
  local found, module = pcall(require, name)
  package.path = path
  if found then return module end
  if os.getenv "CI" then error(module, 2) end
end
