-- scan.lua - where the functions and the constants of a Lua text lie

local constants = require "futures.source.constants"
local lines = require "futures.source.lines"
local mask = require "futures.source.mask"

local find, gmatch, gsub, match = string.find, string.gmatch, string.gsub, string.match

-- One block of the text: of a function, a loop, a branch; or the text itself.
---@class futures.source.Block
---@field word string     what opened it; "if" also for its later branches
---@field at integer      where that word begins
---@field last integer?   last position of the word that closes it

---@class futures.source.Function: futures.source.Block
---@field open integer     position of its `(`
---@field close integer    position of the matching `)`
---@field open_line integer
---@field method boolean   does it have a `self` that is not written?
---@field parameters string  their names, joined by commas
---@field line integer?    where it was last compiled, by candidates.lua
---@field before string?  with which declarations
---@field code string|false|nil  what came of it

---@class futures.source.Scan
---@field text string
---@field code string      the text, masked
---@field functions table<integer, futures.source.Function[]>  by the line that the compiler notes
---@field constants table<string, futures.source.Constant[]>   by name, as they follow in the text

-- What a word closes: nothing, or a block opened by one of these.
local CLOSES = {
  ["end"] = { ["function"] = true, ["do"] = true, ["if"] = true },
  ["until"] = { ["repeat"] = true },
  ["else"] = { ["if"] = true },
  ["elseif"] = { ["if"] = true },
}
local OPENS = {
  ["function"] = "function", ["do"] = "do", ["repeat"] = "repeat",
  ["if"] = "if", ["else"] = "if", ["elseif"] = "if",
}

-- Pair the words that open and close blocks. Returns the functions, and the
-- block around each of the given positions, which must ascend.
local function find_blocks(code, positions)
  local functions, around = {}, {}
  local block = { word = "text", at = 1, last = #code }
  local stack, depth = {}, 0 -- the blocks around this one
  local nth, position = 1, positions[1] or math.maxinteger
  for at, word in gmatch(code, "()%f[%w_]([defiru]%l+)%f[^%w_]") do
    local closes, opens = CLOSES[word], OPENS[word]
    if closes or opens then
      while position < at do
        around[nth] = block
        nth = nth + 1
        position = positions[nth] or math.maxinteger
      end
    end
    if closes then
      if not closes[block.word] then break end -- not Lua from here on
      block.last = at + #word - 1
      block = stack[depth]
      depth = depth - 1
    end
    if opens then
      depth = depth + 1
      stack[depth] = block
      block = { word = opens, at = at }
      if opens == "function" then functions[#functions + 1] = block end
    end
  end
  for rest = nth, #positions do around[rest] = block end
  return functions, around
end

-- Note a function under every line that may be its `linedefined`: that of `(`,
-- and for a statement `function a.b:c()` that of the word `function`. (A
-- `local function` goes by its `(`, but nothing is lost by offering both.)
local function index_function(by_line, code, starts, fn)
  local name, open, close = match(code, "^function([%w_.:%s]*)()%([%w_.,%s]*()%)", fn.at)
  if not name then return end
  fn.open, fn.close = open, close
  fn.open_line = lines.at(starts, open)
  fn.method = find(name, ":", 1, true) ~= nil
  fn.parameters = gsub(code:sub(open + 1, close - 1), "%s+", "")
  if fn.method then
    fn.parameters = fn.parameters == "" and "self" or "self," .. fn.parameters
  end
  local function note(line)
    local list = by_line[line]
    if list then list[#list + 1] = fn else by_line[line] = { fn } end
  end
  note(fn.open_line)
  if find(name, "%S") then
    local line = lines.at(starts, fn.at)
    if line ~= fn.open_line then note(line) end
  end
end

--- Find functions and constants. Never fails: what is not Lua is not found.
---@param text string
---@return futures.source.Scan
return function(text)
  local code = mask(text)
  local declared = constants.positions(code)
  local functions, around = find_blocks(code, declared)
  local starts = lines.starts(text)
  local by_line, by_position = {}, {}
  for _, fn in ipairs(functions) do
    if fn.last then
      by_position[fn.at] = fn
      index_function(by_line, code, starts, fn)
    end
  end
  return {
    text = text,
    code = code,
    functions = by_line,
    constants = constants.find(text, code, declared, around, by_position),
  }
end
