--- options.lua - checked option tables: every bad one is named
local options = {}

local function fail(level, where, message, ...)
  error(("bad argument #1 to '%s' (%s)"):format(where, message:format(...)), level + 1)
end

--- A check: an integer from low to high, without an end by default.
function options.integer(low, high)
  high = high or math.maxinteger
  return function(value)
    if type(value) ~= "number" then return "integer expected, got " .. type(value) end
    local integer = math.tointeger(value)
    if not integer then return "number has no integer representation" end
    if integer < low then
      return low == 1 and "must be greater than 0" or ("must be at least %d"):format(low)
    end
    if integer > high then return ("must be at most %d"):format(high) end
    return nil, integer
  end
end

--- A check: a string that can be part of the name of a thread.
function options.name(value)
  if type(value) ~= "string" then return "string expected, got " .. type(value) end
  if value == "" or value:find "[%z%c]" then
    return "must be a string of printable characters"
  end
  return nil, value
end

--- A check: something that can be called, and sent.
function options.callable(value)
  if type(value) ~= "function" then return "function expected, got " .. type(value) end
  return nil, value
end

--- A check: a table that is read as an array.
function options.array(value)
  if type(value) ~= "table" then return "table expected, got " .. type(value) end
  return nil, value
end

--- A check: a number of seconds; 0 and less are at once.
function options.seconds(value)
  if type(value) ~= "number" then return "number of seconds expected, got " .. type(value) end
  if value ~= value then return "is not a number (NaN)" end
  return nil, value
end

--- A check: any number but NaN.
function options.number(value)
  if type(value) ~= "number" then return "number expected, got " .. type(value) end
  if value ~= value then return "is not a number (NaN)" end
  return nil, value
end

--- A check: true or false.
function options.boolean(value)
  if type(value) ~= "boolean" then return "boolean expected, got " .. type(value) end
  return nil, value
end

--- A check: one of some strings.
function options.choice(...)
  local choices = table.pack(...)
  return function(value)
    local names = {}
    for i, choice in ipairs(choices) do
      if value == choice then return nil, value end
      names[i] = ("'%s'"):format(choice)
    end
    return ("%s expected, got %s"):format(table.concat(names, " or "), tostring(value))
  end
end

--- Check a table of options and return a new one.
---@param where string name of the function, for messages
---@param given any the argument: nil, a value of option `short`, or a table
---@param checks table<string, fun(value: any): string|nil, any> option to its check
---@param short string? the option that a plain value stands for
---@param level integer? of the caller at fault, as in `error`
---@return table
function options.check(where, given, checks, short, level)
  level = (level or 1) + 1
  if given == nil then return {} end
  if type(given) ~= "table" then
    if not short or type(given) ~= "number" then
      fail(level, where, "table%s expected, got %s", short and " or integer" or "", type(given))
    end
    given = { [short] = given }
  end
  local checked = {}
  for name, value in pairs(given) do
    local check = checks[name]
    if not check then fail(level, where, "unknown option '%s'", tostring(name)) end
    local problem, result = check(value)
    if problem then fail(level, where, "option '%s': %s", name, problem) end
    checked[name] = result
  end
  return checked
end

return options
