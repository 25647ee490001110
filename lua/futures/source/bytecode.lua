-- bytecode.lua - what string.dump() wrote of a Lua function, compared and read
--
-- The format is that of every Lua 5.4 (ldump.c): a header, then for each function
-- its source, lines, parameters, code, constants, upvalues, functions inside, and
-- debug information.

local byte, sub, unpack = string.byte, string.sub, string.unpack

local bytecode = {}

-- Numbers are in groups of 7 bits, highest first; the last byte is marked.
local function number(dump, at)
  local value = 0
  while true do
    local group = byte(dump, at)
    at = at + 1
    value = value << 7 | group & 0x7f
    if group >= 0x80 then return value, at end
  end
end

-- A string is its length and one, then its bytes; 0 says that there is none.
local function after_string(dump, at)
  local length
  length, at = number(dump, at)
  return length == 0 and at or at + length - 1, length ~= 0
end

-- Sizes of this interpreter, read from a dump of its own.
local SIGNATURE = "\27Lua\x54\0\x19\x93\r\n\x1a\n"
local sample = string.dump(function() end)
if sub(sample, 1, #SIGNATURE) ~= SIGNATURE then
  error("futures needs the bytecode format of Lua 5.4")
end
local instruction_size, integer_size, float_size, integer_at = unpack("BBB", sample, #SIGNATURE + 1)
local FUNCTION_AT = integer_at + integer_size + float_size + 1 -- past the upvalue count

local CONSTANT_SIZES = { -- by the tag before the constant; -1: a string
  [0x00] = 0, [0x01] = 0, [0x11] = 0, -- nil, false, true
  [0x03] = integer_size, [0x13] = float_size,
  [0x04] = -1, [0x14] = -1,
}

-- Position and count of the outermost function's upvalue descriptions, each of
-- three bytes: instack, idx, kind.
local function descriptions(dump, at)
  local count, _
  _, at = number(dump, at) -- first line
  _, at = number(dump, at) -- last line
  at = at + 3 -- parameters, vararg, stack size
  count, at = number(dump, at)
  at = at + count * instruction_size
  count, at = number(dump, at)
  for _ = 1, count do
    local size = CONSTANT_SIZES[byte(dump, at)]
    at = at + 1
    if size < 0 then at = after_string(dump, at) else at = at + size end
  end
  count, at = number(dump, at)
  return at, count
end

--- Read a dump. `code` is all of it but where the captured variables lie; equal
--- code is the same function, with the same names of upvalues, in the same order.
---@param dump string
---@return string code
---@return integer[] kinds  of its upvalues: 0 variable, 1 `<const>`, 2 `<close>`
---@return boolean stripped
function bytecode.read(dump)
  local start, named = after_string(dump, FUNCTION_AT)
  local at, count = descriptions(dump, start)
  local kinds = {}
  for nth = 1, count do
    kinds[nth] = byte(dump, at + 3 * nth - 1)
  end
  return sub(dump, 1, at - 1) .. sub(dump, at + 3 * count), kinds, not named
end

return bytecode
