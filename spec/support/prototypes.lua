-- prototypes.lua - every function that a Lua text holds, without running any
--
-- The dump of a chunk holds those of all functions in it. Each is cut out, given
-- the header of a dump of its own, and loaded.

local function number(dump, at)
  local value = 0
  repeat
    local group = dump:byte(at)
    value, at = value << 7 | group & 0x7f, at + 1
  until group >= 0x80
  return value, at
end

local function skip_string(dump, at)
  local length
  length, at = number(dump, at)
  return at + math.max(length - 1, 0)
end

-- Calls found(first, last, upvalues) for each function inside the one at a
-- position, and returns what follows that one. first is behind its source name.
local function walk(dump, at, found)
  local count
  local first = skip_string(dump, at)
  at = first
  for _ = 1, 2 do at = select(2, number(dump, at)) end
  at = at + 3
  count, at = number(dump, at)
  at = at + 4 * count
  count, at = number(dump, at)
  for _ = 1, count do
    local tag = dump:byte(at)
    at = at + 1
    if tag == 0x03 or tag == 0x13 then at = at + 8 end
    if tag == 0x04 or tag == 0x14 then at = skip_string(dump, at) end
  end
  local upvalues
  upvalues, at = number(dump, at)
  at = at + 3 * upvalues
  count, at = number(dump, at)
  for _ = 1, count do at = walk(dump, at, found) end
  count, at = number(dump, at)
  at = at + count
  count, at = number(dump, at)
  for _ = 1, 2 * count do at = select(2, number(dump, at)) end
  count, at = number(dump, at)
  for _ = 1, count do
    at = skip_string(dump, at)
    for _ = 1, 2 do at = select(2, number(dump, at)) end
  end
  count, at = number(dump, at)
  for _ = 1, count do at = skip_string(dump, at) end
  found(first, at - 1, upvalues)
  return at
end

--- The functions of a chunk, itself included.
---@param chunk function
---@return function[]
return function(chunk)
  local dump = string.dump(chunk)
  local header = 4 + 1 + 1 + 6 + 3 + 8 + 8 -- signature to the sample numbers
  local source_end = skip_string(dump, header + 2) - 1
  local functions = {}
  walk(dump, header + 2, function(first, last, upvalues)
    local own = dump:sub(1, header) .. string.char(upvalues)
      .. dump:sub(header + 2, source_end) .. dump:sub(first, last)
    functions[#functions + 1] = assert(load(own, "=", "b"))
  end)
  return functions
end
