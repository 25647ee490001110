-- nasty.lua - Lua texts that make it hard to find a function in them
--
-- The same seed gives the same text. Many functions share a line, names shadow each
-- other, comments and strings look like code, lines break anywhere and in any way.

local Nasty = {}
Nasty.__index = Nasty

local tokens = require "support.nasty_tokens"

local NAMES, FIELDS = tokens.NAMES, tokens.FIELDS

--- Whole numbers from 1 to limit; xorshift, alike in every Lua 5.4.
function Nasty:random(limit)
  local state = self.state
  state = state ~ state << 13
  state = state ~ state >> 7
  state = state ~ state << 17
  self.state = state
  return (state >> 11) % limit + 1
end

function Nasty:chance(percent) return self:random(100) <= percent end

function Nasty:pick(list) return list[self:random(#list)] end

-- Tokens, with something between them.
function Nasty:emit(...)
  for _, token in ipairs { ... } do
    local out = self.out
    local gap = " "
    if self:chance(self.loose) then
      gap = self:pick { "\n", "\n\n", " \t\f\v", "\n  " }
    elseif self:chance(4) then
      gap = " " .. self:pick(tokens.COMMENTS) .. "\n"
    end
    if self.one_line then gap = " --[[ do end ]] " end
    out[#out + 1] = token
    out[#out + 1] = gap
  end
end

-- Scopes: each function has a list of them; a name says whether it can be assigned.
function Nasty:open(is_function)
  self.scope = setmetatable({}, { __index = self.scope, outer = self.scope })
  if is_function then self.depth = self.depth + 1 end
end

function Nasty:close(is_function)
  self.scope = getmetatable(self.scope).outer
  if is_function then self.depth = self.depth - 1 end
end

function Nasty:block(size)
  self:open()
  for _ = 1, self:random(size) do self:statement() end
  self:close()
end

-- What is between `(` and `end`.
function Nasty:body(method)
  local looped, variadic = self.looped, self.variadic
  self.looped = false
  self:open(true)
  if method then self.scope.self = "variable" end
  self:emit("(")
  local count = self:random(4) - 1
  self.variadic = self:chance(40)
  for nth = 1, count do
    local name = self:chance(3) and "_ENV" or self:pick(NAMES)
    self.scope[name] = "variable"
    self:emit(name)
    if nth < count or self.variadic then self:emit(",") end
  end
  if self.variadic then self:emit("...") end
  self:emit(")")
  for _ = 1, self:random(3) - 1 do self:statement() end
  if self:chance(60) then
    self:emit("return")
    self:expression(2)
  end
  self:emit("end")
  self:close(true)
  self.looped, self.variadic = looped, variadic
end

function Nasty:expression(depth)
  local kind = self:random(depth > 0 and self.depth < 4 and 12 or 5)
  if kind <= 2 then
    self:emit(self:pick(NAMES))
  elseif kind == 3 then
    self:emit(self:pick(tokens.NUMBERS))
  elseif kind == 4 then
    self:emit(self:pick(tokens.STRINGS))
  elseif kind == 5 then
    self:emit(self:pick { "nil", "true", "false", self.variadic and "..." or "{}" })
  elseif kind <= 8 then
    self:emit("function")
    self:body()
  elseif kind == 9 then
    self:emit(self:pick { "not", "-", "#", "~" })
    self:expression(depth - 1)
  elseif kind == 10 then
    self:expression(depth - 1)
    self:emit(self:pick { "+", "..", "and", "or", "//", "==", "<", "&", "~", ">>" })
    self:expression(depth - 1)
  elseif kind == 11 then
    self:emit("{", self:pick(FIELDS), "=")
    self:expression(depth - 1)
    self:emit(self:pick { ",", ";" }, "[")
    self:expression(0)
    self:emit("]", "=")
    self:expression(depth - 1)
    self:emit("}")
  else
    self:emit(self:pick(NAMES), self:pick { ".", ":" }, self:pick(FIELDS), "(")
    self:expression(depth - 1)
    self:emit(")")
  end
end

function Nasty:initializer()
  local list = self:chance(60) and tokens.NUMBERS or tokens.STRINGS
  local text = self:pick(self:chance(50) and tokens.FOLDED or list)
  if text == "..." and not self.variadic then text = "nil" end
  self:emit(text)
end

-- `local a, b <const> = ...`; the names are new only after it.
function Nasty:declaration()
  local count = self:chance(70) and 1 or self:random(3)
  local names, kinds, closing = {}, {}, false
  self:emit("local")
  for nth = 1, count do
    names[nth] = self:chance(2) and "_ENV" or self:pick(NAMES)
    self:emit(names[nth])
    if self:chance(60) then
      kinds[nth] = "const"
      self:emit("<", "const", ">")
    elseif not closing and self:chance(10) then
      kinds[nth], closing = "close", true
      self:emit("<close>")
    end
    if nth < count then self:emit(",") end
  end
  if closing then
    self:emit("=", "nil")
  elseif self:chance(95) then
    self:emit("=")
    local given = count > 1 and self:chance(5) and count - 1 or count
    for nth = 1, given do
      if nth > 1 then self:emit(",") end
      if names[nth] == "_ENV" then
        self:emit("{ }") -- Lua 5.4.2 and older fail when it is a constant
      elseif nth < count and self:chance(50) then
        self:expression(2)
      else
        self:initializer()
      end
    end
    if count == 1 and self:chance(3) then self:emit(",", "function() return N end") end
  end
  for nth = 1, count do self.scope[names[nth]] = kinds[nth] or "variable" end
  self:emit(self:chance(30) and ";" or " ")
end

function Nasty:function_statement()
  if self:chance(50) then
    local name = self:pick(NAMES)
    self.scope[name] = "variable"
    self:emit("local", "function", name)
    self:body()
  else
    self:emit("function", self:pick(NAMES), ".", self:pick(FIELDS))
    local method = self:chance(50)
    if method then self:emit(":", self:pick(FIELDS)) end
    self:body(method)
  end
end

function Nasty:loop(kind)
  local looped = self.looped
  self.looped = true
  if kind == "repeat" then
    self:emit("repeat")
    self:open()
    for _ = 1, self:random(3) do self:statement() end
    self:emit("until")
    self:expression(2)
    self:close()
  else
    if kind == "while" then
      self:emit("while")
      self:expression(1)
    else
      self:emit("for", "i", "=", "1", ",")
      self:expression(1)
    end
    self:emit("do")
    self:block(3)
    self:emit("end")
  end
  self.looped = looped
end

function Nasty:branch()
  self:emit("if")
  self:expression(1)
  self:emit("then")
  self:block(2)
  if self:chance(40) then
    self:emit("elseif")
    self:expression(1)
    self:emit("then")
    self:block(2)
  end
  if self:chance(40) then
    self:emit("else")
    self:block(2)
  end
  self:emit("end")
end

function Nasty:jump()
  self.labels = self.labels + 1
  local label = "end_" .. self.labels
  self:emit("do", "goto", label)
  self:block(1)
  self:emit("::" .. label .. "::", "end")
end

function Nasty:assignment()
  local name = self:pick(NAMES)
  local kind = self.scope[name]
  if kind == "const" or kind == "close" then
    self:emit(name, ".", self:pick(FIELDS))
  else
    self:emit(name)
  end
  self:emit("=")
  self:expression(3)
end

function Nasty:statement()
  self.size = self.size + 1
  local kind = self:random(self.size < 12 and self.depth < 4 and 14 or 5)
  if kind <= 3 then
    self:declaration()
  elseif kind <= 5 then
    self:assignment()
  elseif kind <= 8 then
    self:function_statement()
  elseif kind == 9 then
    self:loop(self:pick { "repeat", "while", "for" })
  elseif kind == 10 then
    self:branch()
  elseif kind == 11 then
    self:jump()
  elseif kind == 12 and self.looped then
    self:emit("if", "N", "then", "break", "end")
  elseif kind == 13 then
    self:emit(self:pick(NAMES), "(")
    self:expression(2)
    self:emit(",")
    self:expression(2)
    self:emit(")")
  else
    self:emit("do")
    self:block(3)
    self:emit("end")
  end
  if self:chance(20) then self:emit(";") end
end

-- A function with more upvalues than one function has room for locals.
function Nasty:crowd()
  local used = {}
  for group = 1, 2 do
    self:emit("local", "function", "crowd" .. group, "(", ")")
    for nth = 1, 120 do
      local name = ("v%d_%d"):format(group, nth)
      local attribute = self:pick { "", "", " <const>", nth % 9 == 0 and " <close>" or "" }
      self:emit("local " .. name .. attribute .. " = nil")
      used[#used + 1] = name
    end
  end
  self:emit("return function() local sum = N; local function inner() return")
  for nth = #used, 1, -1 do self:emit(used[nth], nth > 1 and "," or "") end
  self:emit("end return inner end end end")
end

--- A text for a seed.
---@param seed integer
---@return string
return function(seed)
  local self = setmetatable({
    state = seed * 0x9E3779B97F4A7C15 | 1, out = {}, scope = {}, depth = 0, size = 0,
    labels = 0, variadic = true, looped = false,
  }, Nasty)
  for _ = 1, 4 do self:random(2) end
  self.loose = self:pick { 0, 3, 15, 60 }
  if self:chance(10) then self.one_line = true end
  local line_break = self:pick(tokens.BREAKS)
  if self:chance(2) then self:crowd() end
  for _ = 1, 1 + self:random(4) do self:statement() end
  return (table.concat(self.out):gsub("\n", line_break))
end
