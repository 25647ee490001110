--- pool.lua - what pools are made with: the options that all kinds share
local core = require "futures.core"
local options = require "futures.options"

local pool = {}

local common = {
  max_workers = options.integer(1, core.max_workers_limit),
  name = options.name,
  initializer = options.callable,
  initargs = options.array,
  max_tasks_per_child = options.integer(1),
  max_pending = options.integer(1),
  memory_limit = options.integer(1),
  idle_timeout = options.seconds,
}

--- Check the options of a pool and fill in what has a default.
---@param where string the name of the class, for messages
---@param opts any the argument: nil, a number of workers, or a table
---@param level integer of the caller at fault, as in `error`
---@param more? table<string, function> the options that only this kind has
---@return table
function pool.options(where, opts, level, more)
  local checks = common
  if more then
    checks = setmetatable({}, { __index = common })
    for name, check in pairs(more) do checks[name] = check end
  end
  local checked = options.check(where, opts, checks, "max_workers", level + 1)
  checked.max_workers = checked.max_workers
    or math.min(core.cpu_count(), core.max_workers_limit)
  checked.name = checked.name or "futures"
  return checked
end

--- Check the options of a SerialExecutor: those of the pools, so that it can take the
-- place of one. What they say of workers and of waiting holds where there are none.
---@param opts any the argument: nil, a number of workers, or a table
---@param level integer of the caller at fault, as in `error`
---@return table
function pool.serial_options(opts, level)
  local checked = options.check("SerialExecutor", opts, common, "max_workers", level + 1)
  checked.max_workers, checked.name = 1, "futures"
  checked.max_pending, checked.idle_timeout = nil, nil
  return checked
end

return pool
