-- source.lua - the source text of a function
--
-- Only text that compiles to the very same bytecode is the source of a function, so
-- what is found is right. Nothing of the text is run for that.

local Recent = require "futures.source.recent"
local bytecode = require "futures.source.bytecode"
local candidates = require "futures.source.candidates"
local compose = require "futures.source.compose"
local origin = require "futures.source.origin"
local scan = require "futures.source.scan"

local getinfo, getlocal, getupvalue = debug.getinfo, debug.getlocal, debug.getupvalue
local dump = string.dump

local source = {}

--- Gives the text of chunks that lie in no file (packed games, archives). May be
--- replaced at any time.
---@type nil | fun(chunkname: string): string?
source.loader = nil

---@class futures.source.Found: futures.source.Piece
---@field chunkname string
---@field names string[]  of the upvalues
---@field main boolean    is it a whole chunk?
---@field line integer
---@field file string
---@field expression string?  made when first asked for
---@field weight integer

-- What is known of functions: by the function, and by its bytecode, as each run of
-- `function ... end` makes a new one. Both hold only what was once verified.
local by_function = setmetatable({}, { __mode = "k" })
local by_bytecode = Recent.new(8e6)
local scans = Recent.new(32e6) -- by chunk name

local function file_of(info)
  local mark = info.source:sub(1, 1)
  return (mark == "@" or mark == "=") and info.source:sub(2) or info.short_src
end

local function refuse(info, reason)
  local file = file_of(info)
  if info.linedefined == 0 then
    error(("source of main chunk <%s> %s"):format(file, reason), 0)
  end
  error(("source of function <%s:%d> %s"):format(file, info.linedefined, reason), 0)
end

local function upvalue_names(fn)
  local names = {}
  local name = getupvalue(fn, 1)
  while name do
    names[#names + 1] = name
    name = getupvalue(fn, #names + 1)
  end
  return names
end

local function parameter_names(fn, info)
  local names = {}
  for nth = 1, info.nparams do
    names[nth] = getlocal(fn, nth)
  end
  if info.isvararg then names[#names + 1] = "..." end
  return names
end

local function scanned_text(chunkname, text)
  local scanned = scan(text)
  scanned.weight = 3 * #text
  scans:put(chunkname, scanned)
  return scanned
end

local function wanted_of(fn, info, code, kinds)
  local names, parameters = upvalue_names(fn), parameter_names(fn, info)
  local hidden = {}
  for _, name in ipairs(names) do hidden[name] = true end
  for _, name in ipairs(parameters) do hidden[name] = true end
  return {
    chunkname = info.source, line = info.linedefined, code = code, names = names,
    kinds = kinds, parameters = table.concat(parameters, ","), hidden = hidden,
  }
end

local function search(fn, dumped)
  local info = getinfo(fn, "Su")
  local code, kinds, stripped = bytecode.read(dumped)
  if stripped then refuse(info, "is not known: its debug information is stripped") end
  local wanted = wanted_of(fn, info, code, kinds)
  local chunkname = info.source
  local scanned = scans:get(chunkname)
  local found = scanned and candidates.find(scanned, wanted)
  if not found then -- the text is new, or may have changed since it was scanned
    local text, reason = origin.text(chunkname, source.loader)
    if not text then refuse(info, reason) end
    if not scanned or scanned.text ~= text then
      found = candidates.find(scanned_text(chunkname, text), wanted)
    end
    if not found then refuse(info, reason) end
  end
  found.chunkname, found.names, found.main = chunkname, wanted.names, wanted.line == 0
  found.file, found.line = file_of(info), wanted.line
  found.weight = #found.text + #dumped
  return found
end

local function find(fn, caller)
  local found = by_function[fn]
  if found then return found end
  if type(fn) ~= "function" then
    error(("bad argument #1 to '%s' (function expected, got %s)")
      :format(caller, fn == nil and "no value" or type(fn)), 3)
  end
  local done, dumped = pcall(dump, fn)
  if not done then
    error(getinfo(fn, "S").what == "C" and "a C function has no source" or dumped, 0)
  end
  found = by_bytecode:get(dumped)
  if not found then
    found = search(fn, dumped)
    by_bytecode:put(dumped, found)
  end
  by_function[fn] = found
  return found
end

--- The source of a function as an expression: `load("return " .. text)` compiles.
--- Captured variables are free names; compile-time constants from outside come
--- along as `local N <const> = 60`. A main chunk becomes `function(...) ... end`.
--- Raises a string that says why when the source is not to be had.
---@param fn function
---@return string text
---@return string file  or what stands for it, as `[string "..."]`
---@return integer line  the first; 0 for a main chunk
function source.get(fn)
  local found = find(fn, "getsource")
  if not found.expression then
    found.expression = found.main and "function(...) " .. found.text .. "\nend"
      or compose.expression(found)
  end
  return found.expression, found.file, found.line
end

--- The source of a function as a chunk. `source.build` makes the function of it
--- again, with the same bytecode, lines, chunk name and order of upvalues; those are
--- nil, but for an `_ENV` that is the chunk's. Raises as `source.get` does.
---@param fn function
---@return string text
---@return string chunkname
---@return string[] names  of the upvalues; not to be changed
---@return boolean main  is the text the function itself, not to be run to get it?
function source.chunk(fn)
  local found = find(fn, "chunk")
  return found.text, found.chunkname, found.names, found.main
end

--- The function of what `source.chunk` returned. Raises when it does not compile.
---@param text string
---@param chunkname string
---@param main boolean
---@return function
function source.build(text, chunkname, main)
  local made = assert(load(text, chunkname, "t"))
  return main and made or made()
end

--- Say what the text of a chunk is, where it is in no file or the file is not it.
---@param chunkname string  as given to load(): `@name` or `=name`
---@param text string?  nil takes back what was said
function source.register(chunkname, text)
  if type(chunkname) ~= "string" then
    error(("bad argument #1 to 'register_source' (string expected, got %s)")
      :format(type(chunkname)), 2)
  elseif text ~= nil and type(text) ~= "string" then
    error(("bad argument #2 to 'register_source' (string expected, got %s)")
      :format(type(text)), 2)
  end
  origin.registered[chunkname] = text
  scans:forget(chunkname)
end

return source
