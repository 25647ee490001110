-- lines.lua - on which line a position of a text lies
--
-- Lines are counted as Lua does: "\n", "\r", "\r\n" and "\n\r" are one break.

local byte, find, gmatch = string.byte, string.find, string.gmatch

local lines = {}

--- The position where each line begins.
---@param text string
---@return integer[]
function lines.starts(text)
  local starts, count = { 1 }, 1
  if not find(text, "\r", 1, true) then
    for at in gmatch(text, "()\n") do
      count = count + 1
      starts[count] = at + 1
    end
    return starts
  end
  local at = find(text, "[\n\r]")
  while at do
    local first, second = byte(text, at, at + 1)
    if first ~= second and (second == 10 or second == 13) then at = at + 1 end
    count = count + 1
    starts[count] = at + 1
    at = find(text, "[\n\r]", at + 1)
  end
  return starts
end

--- The line of a position, by the starts of all lines.
---@param starts integer[]
---@param at integer
---@return integer
function lines.at(starts, at)
  local low, high = 1, #starts -- starts[low] <= at
  while low < high do
    local middle = (low + high + 1) // 2
    if starts[middle] <= at then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

return lines
