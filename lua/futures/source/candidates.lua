-- candidates.lua - which function of a text is the one?
--
-- A function knows its lines, not its columns. So every function that begins on its
-- first line is compiled, and the one that makes the same bytecode is it. Twins make
-- the same, and it does not matter which is taken.

local bytecode = require "futures.source.bytecode"
local compose = require "futures.source.compose"
local constants = require "futures.source.constants"

local find = string.find

local candidates = {}

-- What is looked for.
---@class futures.source.Wanted
---@field chunkname string
---@field line integer   the first; 0 for a main chunk
---@field code string    as bytecode.read() gives it
---@field names string[]  of the upvalues
---@field kinds integer[] theirs
---@field parameters string  names, joined by commas
---@field hidden table<string, true>  names of parameters and upvalues

-- The code of a text; false if it does not compile. What is run of it only makes the
-- function.
local function compile(text, chunkname, main)
  local made, problem = load(text, chunkname, "t", {})
  if not made then
    if problem == "not enough memory" or find(problem, "C stack overflow", 1, true) then
      error(problem, 0) -- says nothing about the text
    end
    return false
  end
  if not main then made = made() end
  return (bytecode.read(string.dump(made)))
end

-- The piece of text for one candidate if it is the function. What it compiled to is
-- kept: on a line of a thousand functions each is compiled once, not a thousand times.
local function try(scanned, fn, wanted)
  if fn.parameters ~= wanted.parameters then return nil end
  local declarations = constants.declarations(scanned, fn, wanted.hidden)
  local before, after = compose.surroundings(wanted.names, wanted.kinds, declarations)
  if fn.line == wanted.line and fn.before == before and fn.code ~= wanted.code then
    return nil
  end
  local piece = compose.piece(scanned, fn, wanted.line, before, after, declarations)
  fn.line, fn.before, fn.code = wanted.line, before, compile(piece.text, wanted.chunkname)
  return fn.code == wanted.code and piece or nil
end

--- The text of the function that is wanted, if it is in this one.
---@param scanned futures.source.Scan
---@param wanted futures.source.Wanted
---@return futures.source.Piece?
function candidates.find(scanned, wanted)
  if wanted.line == 0 then
    local same = compile(scanned.text, wanted.chunkname, true) == wanted.code
    return same and { text = scanned.text } or nil
  end
  for _, fn in ipairs(scanned.functions[wanted.line] or {}) do
    local piece = try(scanned, fn, wanted)
    if piece then return piece end
  end
end

return candidates
