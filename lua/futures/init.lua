--- futures - concurrency for Lua: executors, futures, and waiting for them
--
-- Everything that must be fast or touches threads is in `futures.core` (C);
-- here it gets the shape that users see.
local core = require "futures.core"
local fail = require "futures.fail"
local options = require "futures.options"
local pool = require "futures.pool"
local program = require "futures.program"
local scheduler = require "futures.scheduler"
local source = require "futures.source"
require "futures.view"

---@class futures
local futures = {
  _VERSION = "futures scm",

  ALL_COMPLETED = core.ALL_COMPLETED,
  FIRST_COMPLETED = core.FIRST_COMPLETED,
  FIRST_EXCEPTION = core.FIRST_EXCEPTION,

  wait = core.wait,
  as_completed = core.as_completed,
  poll = core.poll,
  fd = core.fd,

  run = scheduler.run,
  spawn = scheduler.spawn,

  encode = core.encode,
  decode = core.decode,
  register = core.register,
  register_source = source.register,

  cpu_count = core.cpu_count,
  current = core.current,
  isinstance = core.isinstance,

  Executor = core.Executor,
  ThreadPoolExecutor = core.ThreadPoolExecutor,
  ProcessPoolExecutor = core.ProcessPoolExecutor,
  SerialExecutor = core.SerialExecutor,
  Future = core.Future,

  Error = core.Error,
  CancelledError = core.CancelledError,
  TimeoutError = core.TimeoutError,
  InvalidStateError = core.InvalidStateError,
  SerializationError = core.SerializationError,
  RuntimeError = core.RuntimeError,
  BrokenExecutor = core.BrokenExecutor,
  BrokenThreadPool = core.BrokenThreadPool,
  BrokenProcessPool = core.BrokenProcessPool,
}

getmetatable(futures.ThreadPoolExecutor).__call = function(_, opts)
  return core.thread_pool(pool.options("ThreadPoolExecutor", opts, 2), package.path, package.cpath)
end

local process_options = {
  on_worker_death = options.choice("break", "respawn"),
}

getmetatable(futures.ProcessPoolExecutor).__call = function(_, opts)
  local checked = pool.options("ProcessPoolExecutor", opts, 2, process_options)
  checked.respawn = checked.on_worker_death == "respawn"
  return core.process_pool(checked, package.path, package.cpath, program.find())
end

getmetatable(futures.SerialExecutor).__call = function(_, opts)
  return core.serial(pool.serial_options(opts, 2), package.path, package.cpath)
end

--- Gives the text of chunks that lie in no file (packed games, archives); set
-- it to a function of the chunk name that returns the text, or nil.
---@type nil | fun(chunkname: string): string?
futures.source_loader = nil

source.loader = function(chunkname)
  local loader = futures.source_loader
  return loader and loader(chunkname)
end

--- The source of a Lua function, verified against its bytecode.
---@param fn function
---@return string source an expression that compiles after `return `; captured
---  variables are free names in it
---@return string file
---@return integer line
function futures.getsource(fn)
  if type(fn) ~= "function" then
    local message = "bad argument #1 to 'getsource' (function expected, got %s)"
    error(message:format(fn == nil and "no value" or type(fn)), 2)
  end
  local ok, text, file, line = pcall(source.get, fn)
  if not ok then
    if type(text) == "string" then
      fail(core.SerializationError, "cannot send function: " .. text, 2)
    end
    error(text, 0)
  end
  return text, file, line
end

core.set_source(source.chunk)

--- What happens to an error that a callback raises; replace it as you like.
---@param err any what was raised
---@param future futures.Future whose callback it was
function futures.on_callback_error(err, future)
  local message = "exception calling callback for %s: %s\n"
  io.stderr:write(message:format(tostring(future), tostring(err)))
end

core.set_module(futures)

return futures
