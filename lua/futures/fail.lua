--- fail.lua - raise an error of our classes from Lua, at the caller's line
local debug = debug

--- Raise an instance of a class, as the C part does.
---@param class table one of the error classes
---@param message string
---@param level integer of the function at fault, as in `error`
return function(class, message, level)
  local err = class(message)
  local info = debug.getinfo(level + 1, "Sl")
  if info and info.currentline > 0 then
    err.where = ("%s:%d: "):format(info.short_src, info.currentline)
  end
  err.traceback = debug.traceback(nil, level + 1)
  error(err)
end
