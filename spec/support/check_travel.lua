-- check_travel.lua - does a function come back as it went, as source and as bytecode?

local futures = require "futures"
local same_code = require "support.same_code"

local pool

-- Start a worker that loads the libraries in the same order, as some change globals.
local function start(names)
  pool = futures.ThreadPoolExecutor(1)
  pool:submit(function()
    rawset(os, "exit", function() error("a library wants to exit") end)
    rawset(io, "read", function() end)
    for _, name in ipairs(names) do pcall(require, name) end
  end):result()
end

local function as_source(fn) return futures.decode(futures.encode(fn)) end

local function as_bytecode(fn)
  return pool:submit(function(...) return ... end, fn):result()
end

local function check(way, fn)
  local arrived, copy = pcall(way, fn)
  if not arrived then
    return tostring(futures.isinstance(copy, futures.Error) and copy.message or copy)
      :gsub("%c", " ")
  end
  return copy ~= fn and same_code(fn, copy) and "same" or "unequal"
end

---@param fn function
---@param names string[]  of the libraries
---@return string
---@return string
return function(fn, names)
  if not pool then start(names) end
  return "source " .. check(as_source, fn), "bytecode " .. check(as_bytecode, fn)
end
