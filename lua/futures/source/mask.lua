-- mask.lua - a Lua text with its comments and strings blanked out
--
-- What is left can be searched with patterns: no word of a comment or a string
-- is found any more, and every bracket has its partner. Every other byte stays
-- at its place.

local byte, find, rep, sub = string.byte, string.find, string.rep, string.sub

local DOUBLE, SINGLE, MINUS, BACKSLASH = byte("\"'-\\", 1, -1)

local blanks = setmetatable({}, {
  __index = function(self, length)
    local blank = rep(" ", length)
    if length < 200 then self[length] = blank end
    return blank
  end,
})

-- The last position of the string that opens with quote at position from.
local function end_of_string(text, from, quote)
  local special = quote == DOUBLE and '["\\]' or "['\\]"
  local at = find(text, special, from + 1)
  while at and byte(text, at) == BACKSLASH do
    at = find(text, special, at + 2)
  end
  return at
end

-- The last position of the long bracket that opens at position from; false if
-- none opens there, nil if it stays open.
local function end_of_long_bracket(text, from)
  local _, opened, level = find(text, "^%[(=*)%[", from)
  if not opened then return false end
  local _, last = find(text, "]" .. level .. "]", opened + 1, true)
  return last
end

local function end_of_comment(text, from)
  local last = end_of_long_bracket(text, from + 2)
  if last ~= false then return last end
  local break_at = find(text, "[\n\r]", from + 2)
  return break_at and break_at - 1 or #text
end

--- Blank out comments and strings; a string keeps a quote at either end.
--- What cannot be read as Lua is blanked to the end of the text.
---@param text string
---@return string code as long as text
return function(text)
  local parts, count = {}, 0
  local kept, at = 1, 1 -- first byte not yet in parts; where to look on
  while true do
    at = find(text, "[\"'%-%[]", at)
    if not at then break end
    local opener, last = byte(text, at), false
    if opener == DOUBLE or opener == SINGLE then
      last = end_of_string(text, at, opener)
    elseif opener ~= MINUS then
      last = end_of_long_bracket(text, at)
    elseif byte(text, at + 1) == MINUS then
      last = end_of_comment(text, at)
    end
    if last == nil then
      parts[count + 1] = sub(text, kept, at - 1)
      parts[count + 2] = rep(" ", #text - at + 1)
      return table.concat(parts)
    elseif not last then
      at = at + 1
    else
      parts[count + 1] = sub(text, kept, at - 1)
      if opener == MINUS then
        parts[count + 2] = blanks[last - at + 1]
        count = count + 2
      else
        parts[count + 2] = '"'
        parts[count + 3] = blanks[last - at - 1]
        parts[count + 4] = '"'
        count = count + 4
      end
      at = last + 1
      kept = at
    end
  end
  parts[count + 1] = sub(text, kept)
  return table.concat(parts)
end
