-- same_code.lua - is it the same bytecode, but for where captured variables lie?

local function first_difference(a, b)
  local low, high = 1, #a -- the first difference lies between
  while low < high do
    local middle = (low + high) // 2
    if a:sub(low, middle) == b:sub(low, middle) then low = middle + 1 else high = middle end
  end
  return low
end

--- All descriptions of captured variables stand in one place of a dump, three bytes
--- each; nothing may differ elsewhere. Names and order of upvalues are compared too.
---@param f function
---@param g function
---@return boolean
return function(f, g)
  local a, b = string.dump(f), string.dump(g)
  if a == b then return true end
  if #a ~= #b then return false end
  local upvalues = debug.getinfo(f, "u").nups
  local first = first_difference(a, b)
  local last = #a - first_difference(a:reverse(), b:reverse()) + 1
  return last - first < 3 * upvalues
end
