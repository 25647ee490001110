-- literal.lua - a value as Lua writes it, on one line

local find, format, gsub = string.find, string.format, string.gsub

local function float(value)
  if value ~= value or value == 0 and 1 / value < 0 then return nil end
  if value == math.huge then return "1e999" end
  if value == -math.huge then return "-1e999" end
  for digits = 14, 17 do
    local text = format("%." .. digits .. "g", value)
    text = gsub(text, "[^%d+e-]+", ".") -- whatever the locale's decimal point is
    if tonumber(text) == value then
      return find(text, "[.e]") and text or text .. ".0"
    end
  end
end

--- The literal of a value that can be a compile-time constant.
---@param value nil|boolean|number|string
---@return string?
return function(value)
  local kind = math.type(value) or type(value)
  if kind == "float" then return float(value) end
  if value == math.mininteger then return "0x8000000000000000" end
  if kind == "string" then return (gsub(format("%q", value), "\\\n", "\\n")) end
  return tostring(value)
end
