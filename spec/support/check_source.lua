-- check_source.lua - has a function a source that compiles to it?

local same_code = require "support.same_code"
local source = require "futures.source"

---@param fn function
---@return string
return function(fn)
  local found, text, chunkname, _, main = pcall(source.chunk, fn)
  if not found then return text end
  return same_code(fn, source.build(text, chunkname, main)) and "same" or "unequal"
end
