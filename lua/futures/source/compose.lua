-- compose.lua - the text of one function, with what it needs around it

local concat, rep, sub = table.concat, string.rep, string.sub

local compose = {}

local LOCALS = 180 -- in one function; Lua allows 200

local breaks = rep("\n", 1000)

local function line_breaks(count)
  while #breaks < count do breaks = breaks .. breaks end
  return sub(breaks, 1, count)
end

-- What stands before and after an expression to have it returned from within the
-- declarations.
local function around(declarations)
  local before, after = "", ""
  for first = 1, #declarations, LOCALS do
    local last = math.min(first + LOCALS - 1, #declarations)
    if first > 1 then
      before = before .. "return (function() "
      after = after .. " end)()"
    end
    before = before .. concat(declarations, " ", first, last) .. " "
  end
  return before .. "return ", after
end

-- `<const>` and `<close>` show in the bytecode of nested functions. A variable to
-- be closed may be nil.
local ATTRIBUTES = { [0] = "", " <const>", " <close>" }

--- What stands before and after a function to have it returned with its upvalues.
---@param names string[]   of the upvalues
---@param kinds integer[]  theirs
---@param constants string[]  declarations
---@return string before
---@return string after
function compose.surroundings(names, kinds, constants)
  local declarations = {}
  for nth, name in ipairs(names) do
    local attribute = ATTRIBUTES[kinds[nth]] or ""
    -- An undeclared _ENV is that of the chunk, and any value can be put there.
    if name ~= "_ENV" or attribute ~= "" then
      declarations[#declarations + 1] = "local " .. name .. attribute
    end
  end
  table.move(constants, 1, #constants, #declarations + 1, declarations)
  return around(declarations)
end

-- A function expression: its word, `(`, the lines between them, `self`. The name
-- goes. What follows is as it was, so every token keeps its line.
local function opening(fn, line)
  local between, self = fn.open_line - line, ""
  if fn.method then self = fn.parameters == "self" and "self" or "self, " end
  -- The blank keeps a "\r" that follows from pairing up with the last break.
  return "function(" .. (between > 0 and line_breaks(between) .. " " or "") .. self
end

---@class futures.source.Piece
---@field text string      returns the function, when run
---@field first integer    where the function lies in it
---@field body integer
---@field last integer
---@field constants string[]  declarations

--- The text that returns function `fn`, which begins on a line.
---@param scan futures.source.Scan
---@param fn futures.source.Function
---@param line integer
---@param before string
---@param after string
---@param constants string[]  those that are in `before`
---@return futures.source.Piece
function compose.piece(scan, fn, line, before, after, constants)
  local head = opening(fn, line) .. sub(scan.text, fn.open + 1, fn.close)
  local body = sub(scan.text, fn.close + 1, fn.last)
  before = line_breaks(line - 1) .. before
  return {
    text = before .. head .. body .. after,
    first = #before + 1,
    body = #before + #head + 1,
    last = #before + #head + #body,
    constants = constants,
  }
end

--- The same as one expression: constants move into the body, where they make no
--- code, or around the function if it has no room for more.
---@param piece futures.source.Piece
---@return string
function compose.expression(piece)
  local text = piece.text
  local whole = sub(text, piece.first, piece.last)
  if #piece.constants == 0 then return whole end
  local expression = sub(text, piece.first, piece.body - 1) .. " "
    .. concat(piece.constants, " ") .. " " .. sub(text, piece.body, piece.last)
  if load("return " .. expression, "=", "t") then return expression end
  local before, after = around(piece.constants)
  return "(function() " .. before .. whole .. after .. " end)()"
end

return compose
