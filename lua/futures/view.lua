--- view.lua - ex:options { ... }: an executor with options for its calls
local core = require "futures.core"
local options = require "futures.options"

local checks = {
  timeout = options.seconds,
  priority = options.number,
  name = options.name,
  chunksize = options.integer(1),
  buffersize = options.integer(1),
  ordered = options.boolean,
}

--- The same executor, whose `submit` and `map` heed the options.
---@param opts table
---@return futures.Executor
function core.Executor:options(opts)
  if not core.isinstance(self, core.Executor) then
    error(("calling 'options' on bad self (Executor expected, got %s)"):format(type(self)), 2)
  end
  if opts == nil then
    error("bad argument #1 to 'options' (table expected, got no value)", 2)
  end
  return core.view(self, options.check("options", opts, checks, nil, 2))
end
