-- constants.lua - compile-time constants that a function uses from outside
--
-- `local N <const> = 60 * 60` is no variable: the compiler puts 3600 where N is
-- named, and no upvalue tells of it. So the text of a function that names N needs
-- the declaration that it saw. To declare one too many does no harm: a constant
-- makes no code.

local after_expression = require "futures.source.expression"
local literal = require "futures.source.literal"

local dump, find, gmatch = string.dump, string.find, string.gmatch
local match, sub = string.match, string.sub

---@class futures.source.Constant
---@field name string
---@field at integer      where its statement begins
---@field from integer    its scope
---@field to integer
---@field first integer   its initializer
---@field last integer
---@field value string|false|nil  its literal; false: no constant; nil: not yet looked at

local constants = {}

--- Where a masked text has `local` statements with `<const>`, ascending. (It may name
--- another `local` just before one, too.)
---@param code string
---@return integer[]
function constants.positions(code)
  local positions = {}
  local at = find(code, "const", 1, true) and find(code, "local", 1, true)
  while at do
    if find(code, "^%f[%w_]local%s[%w_%s,<>]-<%s*const%s*>", at) then
      positions[#positions + 1] = at
    end
    at = find(code, "local", at + 5, true)
  end
  return positions
end

-- Reads `local a, b <const>`. Returns the last name and its attribute, how many
-- names there are, and the position of what follows.
local function names(code, at)
  local after = at + #"local"
  local count, name, attribute = 0, nil, nil
  while after do
    count, at = count + 1, after
    name, at = match(code, "^%s*([%a_][%w_]*)%s*()", at)
    if not name then return nil end
    attribute = match(code, "^<%s*([%a_][%w_]*)", at)
    at = match(code, "^<[%s%w_]*>%s*()", at) or at
    after = match(code, "^,()", at)
  end
  return name, attribute, count, at
end

-- The last variable of a statement that gives every one a value is a constant if
-- its value is: no other can be.
local function read_statement(code, at, functions)
  local name, attribute, count, after = names(code, at)
  if attribute ~= "const" then return nil end
  after = match(code, "^=()", after)
  local first
  while after do
    after, first = after_expression(code, after, functions)
    count = count - 1
    local comma = after and match(code, "^%s*,()", after)
    if not comma then break end
    after = comma
  end
  if not after or count ~= 0 then return nil end
  return { name = name, at = at, from = after, first = first, last = after - 1 }
end

--- The constants that may be, by name. `around` has the block around each position.
---@param text string
---@param code string the same, masked
---@param positions integer[]
---@param around futures.source.Block[]
---@param functions table<integer, futures.source.Function> by position
---@return table<string, futures.source.Constant[]>
function constants.find(text, code, positions, around, functions)
  local by_name = {}
  for nth, at in ipairs(positions) do
    local constant = read_statement(code, at, functions)
    if constant then
      local block = around[nth]
      constant.to = block.last or #text
      if block.word == "repeat" and block.last then -- the condition sees it too
        constant.to = after_expression(code, block.last + 1, functions) or constant.to
      end
      local list = by_name[constant.name] or {}
      by_name[constant.name] = list
      list[#list + 1] = constant
    end
  end
  return by_name
end

local function visible(by_name, name, at)
  local list = by_name[name]
  for nth = list and #list or 0, 1, -1 do
    local constant = list[nth]
    if constant.from <= at and at <= constant.to then return constant end
  end
end

-- Is the word at a position a field or a method: `a.word`, `a:word`?
local function is_field(code, at)
  repeat at = at - 1 until not find(code, "^%s", at)
  local mark = match(code, "^[.:]", at)
  if not mark or sub(code, at - 1, at - 1) == mark then return false end -- `..word`
  local before = at
  while find(code, "^[%w_]", before - 1) do before = before - 1 end
  return not find(code, "^%d", before) -- `3. word`
end

local evaluate

-- The declarations of constants that are named between two positions and visible
-- at the first of them. `hidden` has names that mean something else there.
local function declarations(scan, first, last, hidden)
  local found, seen = {}, {}
  local by_name = scan.constants
  if not next(by_name) then return found end
  local function declare(name)
    seen[name] = true
    local constant = visible(by_name, name, first)
    local value = constant and evaluate(scan, constant)
    if value then
      found[#found + 1] = ("local %s <const> = %s"):format(name, value)
    end
  end
  if by_name._ENV and not hidden._ENV then declare "_ENV" end -- every global names it
  for at, name in gmatch(sub(scan.code, first, last), "()%f[%w_]([%a_][%w_]*)") do
    if by_name[name] and not seen[name] and not hidden[name]
      and not is_field(scan.code, first + at - 1) then
      declare(name)
    end
  end
  return found
end

-- Lua itself says what is constant: then `return N, N` is `return 3600, 3600`, and
-- else it uses a local variable. Nothing is run before that is known.
function evaluate(scan, constant)
  if constant.value ~= nil then return constant.value end
  constant.value = false
  local initializer = sub(scan.text, constant.first, constant.last)
  local before = table.concat(declarations(scan, constant.at, constant.last, {}), " ")
  local named = load(before .. " local N <const> = " .. initializer .. " return N, N", "=", "t", {})
  local plain = load(before .. " return " .. initializer .. ", " .. initializer, "=", "t", {})
  if named and plain and dump(named, true) == dump(plain, true) then
    constant.value = literal((named())) or false
  end
  return constant.value
end

--- The declarations that a function needs for the constants it names.
---@param scan futures.source.Scan
---@param fn futures.source.Function
---@param hidden table<string, true>  names that mean something else in it
---@return string[]
function constants.declarations(scan, fn, hidden)
  return declarations(scan, fn.at, fn.last, hidden)
end

return constants
