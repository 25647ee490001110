-- expression.lua - where a Lua expression ends, in a masked text
--
-- Needs no more than the shape: operands, what may follow them, and operators
-- between. In masked text brackets pair up, and strings are blanks in quotes.

local match = string.match

local OPERATORS = { -- binary ones, longest first
  "^%s*()%.%.[^.]", "^%s*()//", "^%s*()>>", "^%s*()<<", "^%s*()[=~<>]=",
  "^%s*()[-+*/%%^&|~<>]",
}
local LENGTHS = { 2, 2, 2, 2, 2, 1 }

local SUFFIXES = { -- what may follow a name or a parenthesis
  "^%s*%.%s*[%a_][%w_]*()",         -- .name
  "^%s*%b[]()",                     -- [index]
  "^%s*:%s*[%a_][%w_]*%s*%b()()",   -- :name(...)
  "^%s*:%s*[%a_][%w_]*%s*%b{}()",   -- :name{...}
  '^%s*:%s*[%a_][%w_]*%s*" *"()',   -- :name"..."
  "^%s*%b()()", "^%s*%b{}()", '^%s*" *"()',
}

local NUMERALS = {
  "^0[xX][%x.]+[pP][+-]?%d+()", "^0[xX][%x.]+()",
  "^%.?%d[%d.]*[eE][+-]?%d+()", "^%.?%d[%d.]*()",
}

local CONSTANT = { ["nil"] = true, ["true"] = true, ["false"] = true }

local function after_any(patterns, code, at)
  for nth, pattern in ipairs(patterns) do
    local after = match(code, pattern, at)
    if after then return after, nth end
  end
end

local function after_unary(code, at)
  while true do
    local after = match(code, "^%s*[-#~]()", at) or match(code, "^%s*not()%f[^%w_]", at)
    if not after then return match(code, "^%s*()", at) end
    at = after
  end
end

-- functions: by the position of the word `function`
local function after_operand(code, at, functions)
  local word, after = match(code, "^([%a_][%w_]*)()", at)
  if CONSTANT[word] then return after end
  if word == "function" then
    local fn = functions[at]
    return fn and fn.last + 1
  end
  if not word then
    local plain = match(code, '^" *"()', at) or match(code, "^%b{}()", at)
      or match(code, "^%.%.%.()", at) or after_any(NUMERALS, code, at)
    if plain then return plain end
    after = match(code, "^%b()()", at)
  end
  while after do
    at = after
    word = true
    after = after_any(SUFFIXES, code, at)
  end
  return word and at
end

--- The position after the expression that begins at a position, or nil if
--- there is none.
---@param code string masked
---@param at integer
---@param functions table<integer, futures.source.Function> by position
---@return integer? after
---@return integer? first where its first token is
return function(code, at, functions)
  local first = match(code, "^%s*()", at)
  while true do
    at = after_operand(code, after_unary(code, at), functions)
    if not at then return nil end
    local operator, nth = after_any(OPERATORS, code, at)
    if operator then
      at = operator + LENGTHS[nth]
    else
      local word, after = match(code, "^%s*(%l+)()", at)
      if word ~= "and" and word ~= "or" then return at, first end
      at = after
    end
  end
end
